package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads a small file whole, and knows the things that are often found in its place. */
final class TextFile {
    /** The largest published tokenizer files have some 30 MB. */
    private static final long LARGEST = 256L << 20;
    private static final byte[] POINTER = "version https://git-lfs.github.com/".getBytes(StandardCharsets.US_ASCII);

    private TextFile() {}

    /** The text of a file, which must be well-formed UTF-8. */
    static char[] read(Path file) throws IOException {
        byte[] bytes = bytes(file);
        char[] text = new char[bytes.length];
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.wrap(text);
        // A new decoder reports malformed input; a String would take it in silently.
        CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(in, out, true);
        if (result.isError()) {
            throw new TokenizerException(file, "is not valid UTF-8 at byte " + in.position());
        }
        return Arrays.copyOf(text, out.position());
    }

    private static byte[] bytes(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new TokenizerException(file, "is a directory, expected a file");
        }
        byte[] bytes;
        try {
            long size = Files.size(file);
            if (size > LARGEST) {
                throw new TokenizerException(file, "has " + size + " bytes, expected at most " + LARGEST);
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new TokenizerException(file + ": is missing", e);
        }
        if (bytes.length == 0) {
            throw new TokenizerException(file, "is empty (0 bytes)");
        }
        if (bytes.length >= POINTER.length && Arrays.equals(bytes, 0, POINTER.length, POINTER, 0, POINTER.length)) {
            throw new TokenizerException(file,
                    "is a Git LFS pointer of " + bytes.length
                            + " bytes, expected the file itself (git lfs pull fetches it)");
        }
        return bytes;
    }
}
