package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A model file that is not what it should be. The message is one sentence that names the file, the field, its value and
 * what was expected.
 */
public class FormatException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Longest piece of a file's own text that a message repeats. */
    private static final int MAX_QUOTED = 100;

    /**
     * @param message the whole sentence, with the file's name
     */
    public FormatException(String message) {
        super(message);
    }

    /**
     * @param file the file that is wrong
     * @param problem what is wrong with it and what was expected
     */
    public FormatException(Path file, String problem) {
        super(file + ": " + problem);
    }

    /**
     * @param file the file that is wrong
     * @param problem what is wrong with it and what was expected
     * @param cause the error underneath
     */
    public FormatException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }

    /**
     * A file's own text in quotes, for a message: shortened, and without characters that would change how a terminal or
     * a log shows the sentence.
     */
    public static String quote(String text) {
        return '"' + plain(text) + '"';
    }

    /** As {@link #quote}, without the quotes. */
    public static String plain(String text) {
        StringBuilder out = new StringBuilder();
        int end = Math.min(text.length(), MAX_QUOTED);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            boolean shown = switch (Character.getType(c)) {
                case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED ->
                    false;
                case Character.SURROGATE -> isPaired(text, i);
                default -> true;
            };
            if (shown) {
                out.append(c);
            } else {
                out.append(String.format("\\u%04x", (int) c));
            }
        }
        if (end < text.length()) {
            out.append("... (").append(text.length()).append(" characters)");
        }
        return out.toString();
    }

    private static boolean isPaired(String text, int i) {
        char c = text.charAt(i);
        return Character.isHighSurrogate(c)
                ? i + 1 < Math.min(text.length(), MAX_QUOTED) && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
}
