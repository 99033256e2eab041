package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Arguments that are a text or a list of ids. */
final class Texts {
    private Texts() {
    }

    /**
     * The text that an argument stands for: itself, {@code -} for standard input, {@code @file} for a file. Files and
     * input are taken as they are, a line break at their end included.
     *
     * @throws CommandException if the bytes are no UTF-8, or there is no such file
     */
    static String resolve(String argument, InputStream in) throws IOException {
        if (argument.equals("-")) {
            return utf8(in.readAllBytes(), "standard input");
        }
        if (argument.startsWith("@")) {
            String name = argument.substring(1);
            try {
                return utf8(Files.readAllBytes(Path.of(name)), name);
            } catch (NoSuchFileException e) {
                throw new CommandException("there is no file " + name + " (a text that starts with @ names a file)", e);
            } catch (InvalidPathException e) {
                throw new CommandException("'" + name + "' is not a file name (a text that starts with @ names a file)",
                        e);
            }
        }
        return argument;
    }

    /**
     * The text of a file.
     *
     * @throws CommandException if it is no UTF-8
     */
    static String file(Path file) throws IOException {
        return utf8(Files.readAllBytes(file), file.toString());
    }

    private static String utf8(byte[] bytes, String source) throws CommandException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new CommandException(source + " is not valid UTF-8", e);
        }
    }

    /**
     * Ids such as {@code 464,2068,7586}, with commas or white space between them; also as a JSON array.
     *
     * @throws UsageException if there is something else
     */
    static int[] ids(String text) {
        return numbers(text, "a token id", "464,2068,7586");
    }

    /**
     * Whole numbers from 0, written as ids are.
     *
     * @param what what one of them is, for the message
     * @param example what was expected, for the message
     * @throws UsageException if there is something else
     */
    static int[] numbers(String text, String what, String example) {
        String list = text.strip();
        if (list.startsWith("[") && list.endsWith("]")) {
            list = list.substring(1, list.length() - 1).strip();
        }
        if (list.isEmpty()) {
            return new int[0];
        }
        String[] fields = list.split("\\s*,\\s*|\\s+", -1);
        int[] ids = new int[fields.length];
        for (int i = 0; i < ids.length; i++) {
            try {
                ids[i] = Integer.parseInt(fields[i]);
            } catch (NumberFormatException e) {
                ids[i] = -1;
            }
            if (ids[i] < 0) {
                throw new UsageException(
                        "'" + shortened(fields[i]) + "' is not " + what + "; expected numbers such as " + example);
            }
        }
        return ids;
    }

    /** The beginning of a text that may be long, to be shown in a message. */
    static String shortened(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }

    /** A text out of any file; a terminal must not take it for commands. */
    static String printable(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> shown.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return shown.toString();
    }
}
