package org.vecformer.engine.constraint;

import java.util.Arrays;
import org.vecformer.engine.sampler.Candidates;

/** Sets of tokens as bits, applied to logits. */
final class Masks {
    private Masks() {
    }

    /** Takes away all candidates but these; ids behind the mask's end are not in it. */
    static void apply(long[] mask, Candidates candidates) {
        float[] logits = candidates.logits();
        if (!candidates.isDense()) {
            int[] ids = candidates.ids();
            for (int i = 0; i < candidates.size(); i++) {
                if (!contains(mask, ids[i])) {
                    logits[i] = Float.NEGATIVE_INFINITY;
                }
            }
            return;
        }
        int size = candidates.size();
        int words = Math.min(mask.length, size + 63 >> 6);
        for (int word = 0; word < words; word++) {
            long absent = ~mask[word];
            int from = word << 6;
            int to = Math.min(from + 64, size);
            if (absent == -1) {
                Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
                continue;
            }
            while (absent != 0) {
                int id = from + Long.numberOfTrailingZeros(absent);
                if (id >= to) {
                    break;
                }
                logits[id] = Float.NEGATIVE_INFINITY;
                absent &= absent - 1;
            }
        }
        if (words << 6 < size) {
            Arrays.fill(logits, words << 6, size, Float.NEGATIVE_INFINITY);
        }
    }

    static boolean contains(long[] mask, int id) {
        return id >> 6 < mask.length && (mask[id >> 6] >>> id & 1) != 0;
    }
}
