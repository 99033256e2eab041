package org.vecformer.engine.constraint;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A set of Unicode characters. Surrogates are never in it: no UTF-8 text has them.
 *
 * @param bounds first and last code point of each range, ascending, with a gap between ranges; not to be changed
 */
record CodePoints(int[] bounds) {
    private static final int FIRST_SURROGATE = 0xD800;
    private static final int LAST_SURROGATE = 0xDFFF;

    static final CodePoints NONE = new CodePoints(new int[0]);
    static final CodePoints ALL = NONE.not();

    static CodePoints of(int codePoint) {
        return range(codePoint, codePoint);
    }

    static CodePoints range(int first, int last) {
        return NONE.or(new CodePoints(new int[]{first, last}));
    }

    /** The characters of a text. */
    static CodePoints of(String characters) {
        return of(characters.codePoints());
    }

    static CodePoints of(IntStream codePoints) {
        return NONE.or(new CodePoints(codePoints.flatMap(c -> IntStream.of(c, c)).toArray()));
    }

    CodePoints or(CodePoints other) {
        long[] ranges = new long[(bounds.length + other.bounds.length) / 2];
        int count = 0;
        for (int[] from : new int[][]{bounds, other.bounds}) {
            for (int i = 0; i < from.length; i += 2) {
                ranges[count++] = (long) from[i] << 32 | from[i + 1];
            }
        }
        Arrays.sort(ranges);
        int[] joined = new int[2 * count + 2];
        int size = 0;
        for (long range : ranges) {
            int first = (int) (range >>> 32);
            int last = (int) range;
            if (size > 0 && first <= joined[size - 1] + 1) {
                joined[size - 1] = Math.max(joined[size - 1], last);
            } else {
                joined[size++] = first;
                joined[size++] = last;
            }
        }
        return new CodePoints(withoutSurrogates(Arrays.copyOf(joined, size)));
    }

    private static int[] withoutSurrogates(int[] bounds) {
        int[] kept = new int[bounds.length + 2];
        int size = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            if (bounds[i] < FIRST_SURROGATE) {
                kept[size++] = bounds[i];
                kept[size++] = Math.min(bounds[i + 1], FIRST_SURROGATE - 1);
            }
            if (bounds[i + 1] > LAST_SURROGATE) {
                kept[size++] = Math.max(bounds[i], LAST_SURROGATE + 1);
                kept[size++] = bounds[i + 1];
            }
        }
        return Arrays.copyOf(kept, size);
    }

    /** All other characters. */
    CodePoints not() {
        int[] others = new int[bounds.length + 2];
        int size = 0;
        int next = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            if (bounds[i] > next) {
                others[size++] = next;
                others[size++] = bounds[i] - 1;
            }
            next = bounds[i + 1] + 1;
        }
        if (next <= Character.MAX_CODE_POINT) {
            others[size++] = next;
            others[size++] = Character.MAX_CODE_POINT;
        }
        return new CodePoints(withoutSurrogates(Arrays.copyOf(others, size)));
    }

    CodePoints and(CodePoints other) {
        return not().or(other.not()).not();
    }

    boolean contains(int codePoint) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (bounds[i] <= codePoint && codePoint <= bounds[i + 1]) {
                return true;
            }
        }
        return false;
    }
}
