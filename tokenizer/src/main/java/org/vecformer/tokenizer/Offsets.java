package org.vecformer.tokenizer;

/** Starts and ends of tokens in all three units. */
record Offsets(int[] charStarts, int[] charEnds, int[] codePointStarts, int[] codePointEnds, int[] byteStarts,
        int[] byteEnds) {

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
}
