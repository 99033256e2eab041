package org.vecformer.tokenizer;

/** Starts and ends of tokens in all three units. */
record Offsets(int[] charStarts, int[] charEnds, int[] codePointStarts, int[] codePointEnds, int[] byteStarts,
        int[] byteEnds) {

    /** Empty ranges at 0. */
    static Offsets none(int size) {
        return new Offsets(new int[size], new int[size], new int[size], new int[size], new int[size], new int[size]);
    }

    /** From ranges of characters, whose starts do not decrease, nor do their ends. */
    static Offsets ofChars(char[] text, int[] starts, int[] ends) {
        int[][] converted = new int[4][];
        convert(text, starts, converted, 0);
        convert(text, ends, converted, 1);
        return new Offsets(starts, ends, converted[0], converted[1], converted[2], converted[3]);
    }

    private static void convert(char[] text, int[] positions, int[][] converted, int which) {
        int[] codePoints = new int[positions.length];
        int[] bytes = new int[positions.length];
        int at = 0;
        int codePointsBefore = 0;
        int bytesBefore = 0;
        for (int i = 0; i < positions.length; i++) {
            while (at < positions[i]) {
                char c = text[at];
                if (c < 0x80) {
                    at++;
                    bytesBefore++;
                } else {
                    int codePoint = Utf8.codePoint(text, at, text.length);
                    at += Character.charCount(codePoint);
                    bytesBefore += Utf8.length(codePoint);
                }
                codePointsBefore++;
            }
            codePoints[i] = codePointsBefore;
            bytes[i] = bytesBefore;
        }
        converted[which] = codePoints;
        converted[2 + which] = bytes;
    }

    int[] start(OffsetUnit unit) {
        return switch (unit) {
            case CHARS -> charStarts;
            case CODE_POINTS -> codePointStarts;
            case BYTES -> byteStarts;
        };
    }

    int[] end(OffsetUnit unit) {
        return switch (unit) {
            case CHARS -> charEnds;
            case CODE_POINTS -> codePointEnds;
            case BYTES -> byteEnds;
        };
    }

    /** Copies ranges into others. */
    void copy(int from, Offsets to, int at, int count) {
        for (OffsetUnit unit : OffsetUnit.values()) {
            System.arraycopy(start(unit), from, to.start(unit), at, count);
            System.arraycopy(end(unit), from, to.end(unit), at, count);
        }
    }
}
