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
        Normalized out = new Normalized((int) Math.min(to - from + 16L, Integer.MAX_VALUE - 8), withOffsets);
        byte[] ascii = ASCII[asciiTable()];
        Marks marks = null;
        for (int at = from; at < to;) {
            char c = text[at];
            if (c < 0x80) {
                byte changed = ascii[c];
                at++;
                if (changed >= 0) {
                    if (marks != null && !marks.isEmpty()) {
                        flush(marks, out);
                    }
                    out.put(changed, at - 1, at);
                }
                continue;
            }
            if (stripAccents && marks == null) {
                marks = new Marks();
            }
            int codePoint = Utf8.codePoint(text, at, to);
            int next = at + Character.charCount(codePoint);
            normalize(codePoint, at, next, marks, out);
            at = next;
        }
        if (marks != null) {
            flush(marks, out);
        }
        return out;
    }

    /** A text on its own, normalized. */
    String normalize(String text) {
        char[] chars = text.toCharArray();
        Normalized normalized = normalize(chars, 0, chars.length, false);
        return new String(normalized.chars, 0, normalized.length);
    }

    private void normalize(int given, int start, int end, Marks marks, Normalized out) {
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
            putStarter(' ', start, end, marks, out);
        }
        String decomposed = stripAccents ? BertCharacters.decomposition(codePoint, kind) : null;
        if (decomposed == null) {
            putPart(codePoint, kind, true, start, end, marks, out);
        } else {
            for (int i = 0; i < decomposed.length();) {
                int part = decomposed.codePointAt(i);
                putPart(part, BertCharacters.kind(part), i == 0, start, end, marks, out);
                i += Character.charCount(part);
            }
        }
        if (apart) {
            putStarter(' ', start, end, marks, out);
        }
    }

    /** A part of a decomposed character; what is no starter waits for the others it may change places with. */
    private void putPart(int part, int kind, boolean first, int start, int end, Marks marks, Normalized out) {
        if (!stripAccents) {
            putCased(part, start, end, out);
        } else if ((kind & BertCharacters.ORDERED) != 0) {
            marks.add(part, (kind & BertCharacters.MARK) == 0, first, start, end);
        } else if ((kind & BertCharacters.MARK) == 0) {
            putStarter(part, start, end, marks, out);
        } else {
            flush(marks, out);
        }
    }

    private void putStarter(int codePoint, int start, int end, Marks marks, Normalized out) {
        if (marks != null && !marks.isEmpty()) {
            flush(marks, out);
        }
        putCased(codePoint, start, end, out);
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

    /** Puts the marks that stay into canonical order. */
    private void flush(Marks marks, Normalized out) {
        if (marks.anyStays) {
            long[] order = new long[marks.codePoints.size()];
            for (int i = 0; i < order.length; i++) {
                order[i] = (long) BertCharacters.combiningClass(marks.codePoints.get(i)) << 32 | i;
            }
            Arrays.sort(order);
            int place = -1;
            for (long next : order) {
                int index = (int) next;
                if (marks.placeOf.get(index) >= 0) {
                    place++;
                }
                int codePoint = marks.codePoints.get(index);
                if ((BertCharacters.kind(codePoint) & BertCharacters.MARK) == 0) {
                    boolean ofBefore = place < 0;
                    putCased(codePoint, ofBefore ? marks.startBefore : marks.starts.get(place),
                            ofBefore ? marks.endBefore : marks.ends.get(place), out);
                }
            }
        }
        marks.clear();
    }

    /**
     * A run of characters that are no starters, to be put into canonical order (Unicode 3.11, D109). As in the
     * reference, the places in the given text stay in their order: whatever comes first has the first place.
     */
    private static final class Marks {
        private final IntList codePoints = new IntList(0);
        /** For each of them 0, or -1 if it is a further part of a character and so has no place of its own. */
        private final IntList placeOf = new IntList(0);
        private final IntList starts = new IntList(0);
        private final IntList ends = new IntList(0);
        /** The place of the character whose further parts come first. */
        private int startBefore;
        private int endBefore;
        /** Whether there is one that is not left out. */
        private boolean anyStays;

        boolean isEmpty() {
            return codePoints.size() == 0;
        }

        void add(int codePoint, boolean stays, boolean first, int start, int end) {
            if (isEmpty()) {
                startBefore = start;
                endBefore = end;
            }
            codePoints.add(codePoint);
            placeOf.add(first ? 0 : -1);
            if (first) {
                starts.add(start);
                ends.add(end);
            }
            anyStays |= stays;
        }

        void clear() {
            codePoints.cut(0);
            placeOf.cut(0);
            starts.cut(0);
            ends.cut(0);
            anyStays = false;
        }
    }
}
