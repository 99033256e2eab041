package org.vecformer.tokenizer;

/** Text to UTF-8, with unpaired surrogates written as U+FFFD. */
final class Utf8 {
    static final int REPLACEMENT = 0xFFFD;

    private Utf8() {}

    /** The code point at a position; U+FFFD for an unpaired surrogate. */
    static int codePoint(char[] text, int at, int end) {
        char c = text[at];
        if (!Character.isSurrogate(c)) {
            return c;
        }
        if (Character.isHighSurrogate(c) && at + 1 < end && Character.isLowSurrogate(text[at + 1])) {
            return Character.toCodePoint(c, text[at + 1]);
        }
        return REPLACEMENT;
    }

    /** How many bytes a code point takes. */
    static int length(int codePoint) {
        return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    }

    /** How many bytes a part of a text takes. */
    static long length(char[] text, int start, int end) {
        long length = 0;
        for (int i = start; i < end; i++) {
            int codePoint = codePoint(text, i, end);
            length += length(codePoint);
            i += Character.charCount(codePoint) - 1;
        }
        return length;
    }

    static byte[] encode(String text) {
        char[] chars = text.toCharArray();
        byte[] bytes = new byte[Math.toIntExact(length(chars, 0, chars.length))];
        int length = 0;
        for (int i = 0; i < chars.length; i++) {
            int c = codePoint(chars, i, chars.length);
            if (c < 0x80) {
                bytes[length++] = (byte) c;
            } else if (c < 0x800) {
                bytes[length++] = (byte) (0xC0 | c >> 6);
                bytes[length++] = (byte) (0x80 | c & 0x3F);
            } else if (c < 0x10000) {
                bytes[length++] = (byte) (0xE0 | c >> 12);
                bytes[length++] = (byte) (0x80 | c >> 6 & 0x3F);
                bytes[length++] = (byte) (0x80 | c & 0x3F);
            } else {
                i++;
                bytes[length++] = (byte) (0xF0 | c >> 18);
                bytes[length++] = (byte) (0x80 | c >> 12 & 0x3F);
                bytes[length++] = (byte) (0x80 | c >> 6 & 0x3F);
                bytes[length++] = (byte) (0x80 | c & 0x3F);
            }
        }
        return bytes;
    }
}
