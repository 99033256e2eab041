package org.vecformer.cli;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import org.vecformer.tokenizer.Tokenizer;

/** Tokens and texts as a line of a table can show them: nothing that moves the cursor, and no half characters. */
final class Shown {
    private Shown() {
    }

    /**
     * A token between quotes, so that its spaces are seen; its id without a tokenizer. Bytes that are only a part of a
     * character look like {@code \xE2}.
     */
    static String token(Tokenizer tokenizer, int id) {
        if (tokenizer == null || !tokenizer.contains(id)) {
            return "token " + id;
        }
        return '"' + bytes(tokenizer.decodeBytes(new int[]{id})) + '"';
    }

    private static String bytes(byte[] utf8) {
        StringBuilder shown = new StringBuilder();
        ByteBuffer in = ByteBuffer.wrap(utf8);
        CharBuffer out = CharBuffer.allocate(utf8.length + 1);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            shown.append(text(out.flip().toString()));
            out.clear();
            if (!result.isMalformed()) {
                return shown.toString();
            }
            for (int i = 0; i < result.length(); i++) {
                shown.append(String.format("\\x%02X", in.get()));
            }
            decoder.reset();
        }
    }

    /** A text in one line: what cannot be seen is spelt, as {@code \n} or {@code \}{@code u{200B}}. */
    static String text(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> shown.append("\\n");
                case '\r' -> shown.append("\\r");
                case '\t' -> shown.append("\\t");
                case '\\' -> shown.append("\\\\");
                default -> {
                    if (isVisible(c)) {
                        shown.appendCodePoint(c);
                    } else {
                        shown.append(String.format("\\u{%X}", c));
                    }
                }
            }
        });
        return shown.toString();
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                false;
            default -> true;
        };
    }

    /** How many columns of a terminal a text takes. */
    static int width(String text) {
        return text.codePoints().map(Shown::width).sum();
    }

    private static int width(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        // Unicode's East Asian Width W and F, in blocks.
        boolean wide = c >= 0x1100 && c <= 0x115F || c >= 0x2E80 && c <= 0x303E || c >= 0x3041 && c <= 0xA4CF
                || c >= 0xA960 && c <= 0xA97F || c >= 0xAC00 && c <= 0xD7A3 || c >= 0xF900 && c <= 0xFAFF
                || c >= 0xFE30 && c <= 0xFE6F || c >= 0xFF00 && c <= 0xFF60 || c >= 0xFFE0 && c <= 0xFFE6
                || c >= 0x1F300 && c <= 0x1F64F || c >= 0x1F680 && c <= 0x1F6FF || c >= 0x1F900 && c <= 0x1F9FF
                || c >= 0x1FA70 && c <= 0x1FAFF || c >= 0x20000 && c <= 0x3FFFD;
        return wide ? 2 : 1;
    }

    /** The text, or its beginning and "..." if it takes more columns. */
    static String beginning(String text, int columns) {
        if (width(text) <= columns) {
            return text;
        }
        int end = 0;
        for (int left = columns - 3; end < text.length();) {
            int c = text.codePointAt(end);
            left -= width(c);
            if (left < 0) {
                break;
            }
            end += Character.charCount(c);
        }
        return text.substring(0, end) + "...";
    }

    /** The text, or "..." and its end if it takes more columns. */
    static String end(String text, int columns) {
        if (width(text) <= columns) {
            return text;
        }
        int start = text.length();
        for (int left = columns - 3; start > 0;) {
            int c = text.codePointBefore(start);
            left -= width(c);
            if (left < 0) {
                break;
            }
            start -= Character.charCount(c);
        }
        return "..." + text.substring(start);
    }

    /** The text and as many spaces as fill up its columns. */
    static String padded(String text, int columns) {
        return text + " ".repeat(Math.max(0, columns - width(text)));
    }
}
