package org.vecformer.cli.dialog;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads the examples of a PersonaChat file one after the other, without keeping them. The two formats in use are told
 * apart by the file's first character. Not thread-safe.
 */
public sealed interface ExampleReader extends Closeable permits ConvAi2Reader, PersonaJsonReader {

    /**
     * Opens a file.
     *
     * @param split which list of a JSON file with several; null for {@code valid}, or the whole of a file that has none
     * @throws IOException if it cannot be read, is of no known format, or has no such split
     */
    static ExampleReader open(Path file, String split) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file");
        }
        InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        try {
            int first = first(in);
            if (first == '{' || first == '[') {
                return new PersonaJsonReader(file, in, split);
            }
            if (first < '0' || first > '9') {
                throw new IOException(file + (first < 0 ? " is empty" : " is no PersonaChat file")
                        + "; expected numbered lines (1 your persona: ...) or JSON with personality and utterances");
            }
            if (split != null) {
                throw new IOException(file + " is a text file, which has no split " + split);
            }
            return new ConvAi2Reader(file, in);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    /** The first byte that is no white space; -1 if there is none. It is left to be read; a byte order mark is not. */
    private static int first(InputStream in) throws IOException {
        byte[] byteOrderMark = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
        in.mark(byteOrderMark.length);
        if (!Arrays.equals(in.readNBytes(byteOrderMark.length), byteOrderMark)) {
            in.reset();
        }
        int mostWhiteSpace = 1 << 12;
        in.mark(mostWhiteSpace);
        int first = ' ';
        for (int i = 0; i < mostWhiteSpace && first >= 0 && Character.isWhitespace(first); i++) {
            first = in.read();
        }
        in.reset();
        return first;
    }

    /**
     * The next example; null at the end of the file.
     *
     * @throws IOException if the file is not as expected; the message tells where
     */
    NumberedExample next() throws IOException;
}
