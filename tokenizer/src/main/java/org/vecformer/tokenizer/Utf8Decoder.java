package org.vecformer.tokenizer;

/**
 * UTF-8 bytes to text, in pieces of any size. Each maximal subpart of a malformed sequence becomes one U+FFFD (Unicode
 * 3.9, "U+FFFD Substitution of Maximal Subparts"); the JDK's own decoder counts encoded surrogates differently.
 */
final class Utf8Decoder {
    private static final char REPLACEMENT = '\uFFFD';

    /** Continuation bytes still to come. */
    private int missing;
    private int codePoint;
    /**
     * The range the next continuation byte must be in; it excludes overlong forms, surrogates and values
     * above U+10FFFF.
     */
    private int low = 0x80;
    private int high = 0xBF;

    /** The text of all bytes. */
    static String decode(byte[] bytes, int length) {
        StringBuilder text = new StringBuilder(length);
        Utf8Decoder decoder = new Utf8Decoder();
        decoder.decode(bytes, length, text);
        decoder.finish(text);
        return text.toString();
    }

    /** Appends the characters that are complete. */
    void decode(byte[] bytes, int length, StringBuilder text) {
        for (int i = 0; i < length; i++) {
            int b = bytes[i] & 0xFF;
            if (missing > 0) {
                if (b >= low && b <= high) {
                    low = 0x80;
                    high = 0xBF;
                    codePoint = codePoint << 6 | b & 0x3F;
                    if (--missing == 0) {
                        text.appendCodePoint(codePoint);
                    }
                    continue;
                }
                finish(text);
            }
            if (b < 0x80) {
                text.append((char) b);
            } else if (b >= 0xC2 && b <= 0xDF) {
                begin(1, b & 0x1F);
            } else if (b >= 0xE0 && b <= 0xEF) {
                begin(2, b & 0x0F);
                if (b == 0xE0) {
                    low = 0xA0;
                } else if (b == 0xED) {
                    high = 0x9F;
                }
            } else if (b >= 0xF0 && b <= 0xF4) {
                begin(3, b & 0x07);
                if (b == 0xF0) {
                    low = 0x90;
                } else if (b == 0xF4) {
                    high = 0x8F;
                }
            } else {
                text.append(REPLACEMENT);
            }
        }
    }

    /** Appends U+FFFD if a character is unfinished, and starts anew. */
    void finish(StringBuilder text) {
        if (missing > 0) {
            text.append(REPLACEMENT);
        }
        missing = 0;
        low = 0x80;
        high = 0xBF;
    }

    private void begin(int continuations, int bits) {
        missing = continuations;
        codePoint = bits;
    }
}
