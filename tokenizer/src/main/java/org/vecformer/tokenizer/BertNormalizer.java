package org.vecformer.tokenizer;

import java.util.Arrays;

/**
 * What BERT does to a text before it is cut into words (google-research/bert {@code tokenization.py}, and {@code
 * normalizers/bert.rs} of the Hugging Face tokenizers library, which is followed where they differ).
 *
 * @param cleanText whether control characters are left out and all white space becomes a space
 * @param splitChinese whether there is a space around each CJK ideograph
 * @param stripAccents whether text is decomposed (NFD) and its nonspacing marks left out
 * @param lowerCase whether each character becomes lower case
 */
record BertNormalizer(boolean cleanText, boolean splitChinese, boolean stripAccents, boolean lowerCase) {
    /** What Google's uncased models have. */
    static final BertNormalizer UNCASED = new BertNormalizer(true, true, true, true);

    /** What becomes of ASCII: by {@link #asciiTable} and character the new character, -1 for none. */
    private static final byte[][] ASCII = new byte[4][0x80];

    static {
        for (int table = 0; table < ASCII.length; table++) {
            for (int c = 0; c < 0x80; c++) {
                int changed = c;
                if ((table & 1) != 0) {
                    changed = c == '\t' || c == '\n' || c == '\r' ? ' ' : c < ' ' || c == 0x7F ? -1 : c;
                }
                if ((table & 2) != 0 && c >= 'A' && c <= 'Z') {
                    changed = c + ('a' - 'A');
                }
                ASCII[table][c] = (byte) changed;
            }
        }
    }

    private int asciiTable() {
        return (cleanText ? 1 : 0) | (lowerCase ? 2 : 0);
    }

    /** Normalized text, and where in the text that was given each of its characters comes from. */
    static final class Normalized {
        private char[] chars;
        /** Null unless they were asked for. */
        private int[] starts;
        private int[] ends;
        private int length;

        Normalized(int capacity, boolean withOffsets) {
            chars = new char[capacity];
            if (withOffsets) {
                starts = new int[capacity];
                ends = new int[capacity];
            }
        }

        /** The characters; only the first {@link #length()} are text. */
        char[] chars() {
            return chars;
        }

        int length() {
            return length;
        }

        int start(int index) {
            return starts[index];
        }

        int end(int index) {
            return ends[index];
        }

        private void put(int codePoint, int start, int end) {
            if (length + 2 > chars.length) {
                grow();
            }
            int from = length;
            if (codePoint < 0x10000) {
                chars[length++] = (char) codePoint;
            } else {
                chars[length++] = Character.highSurrogate(codePoint);
                chars[length++] = Character.lowSurrogate(codePoint);
            }
            if (starts != null) {
                for (int i = from; i < length; i++) {
                    starts[i] = start;
                    ends[i] = end;
                }
            }
        }

        private void grow() {
            int capacity = (int) Math.min(Integer.MAX_VALUE - 8, 2L * chars.length + 16);
            chars = Arrays.copyOf(chars, capacity);
            if (starts != null) {
                starts = Arrays.copyOf(starts, capacity);
                ends = Arrays.copyOf(ends, capacity);
            }
        }
    }

    /** The part of a text, normalized. */
    Normalized normalize(char[] text, int from, int to, boolean withOffsets) {
        Normalized out = new Normalized(to - from + 16, withOffsets);
        byte[] ascii = ASCII[asciiTable()];
        for (int at = from; at < to;) {
            if (text[at] < 0x80) {
                byte changed = ascii[text[at]];
                at++;
                if (changed >= 0) {
                    out.put(changed, at - 1, at);
                }
                continue;
            }
            int codePoint = Utf8.codePoint(text, at, to);
            int next = at + Character.charCount(codePoint);
            normalize(codePoint, at, next, out);
            at = next;
        }
        return out;
    }

    /** A text on its own, normalized. */
    String normalize(String text) {
        char[] chars = text.toCharArray();
        Normalized normalized = normalize(chars, 0, chars.length, false);
        return new String(normalized.chars, 0, normalized.length);
    }

    private void normalize(int given, int start, int end, Normalized out) {
        int codePoint = given;
        int kind = BertCharacters.kind(codePoint);
        if (cleanText) {
            if ((kind & BertCharacters.DROPPED) != 0) {
                return;
            }
            if ((kind & BertCharacters.SPACE) != 0) {
                codePoint = ' ';
            }
        }
        boolean apart = splitChinese && (kind & BertCharacters.CHINESE) != 0;
        if (apart) {
            out.put(' ', start, end);
        }
        if (stripAccents) {
            String decomposed = BertCharacters.withoutAccents(codePoint);
            if (decomposed == null) {
                putCased(codePoint, start, end, out);
            } else {
                for (int i = 0; i < decomposed.length();) {
                    int part = decomposed.codePointAt(i);
                    putCased(part, start, end, out);
                    i += Character.charCount(part);
                }
            }
        } else {
            putCased(codePoint, start, end, out);
        }
        if (apart) {
            out.put(' ', start, end);
        }
    }

    private void putCased(int codePoint, int start, int end, Normalized out) {
        if (!lowerCase) {
            out.put(codePoint, start, end);
            return;
        }
        out.put(BertCharacters.lowerCase(codePoint), start, end);
        if (codePoint == BertCharacters.CAPITAL_I_WITH_DOT) {
            out.put(BertCharacters.DOT_ABOVE, start, end);
        }
    }
}
