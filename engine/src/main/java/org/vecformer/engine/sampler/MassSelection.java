package org.vecformer.engine.sampler;

import java.util.Arrays;

/**
 * Finds where a running sum first exceeds a limit, in ascending order of some values, without sorting them: a radix
 * selection as {@link Candidates#kthLargest}, that sums masses where that one counts. Three passes at most.
 * <p>
 * The sum is accumulated in double and compared in float32, as {@code torch.cumsum} gives it.
 */
final class MassSelection {
    private static final int DIGIT_BITS = 11;
    private static final int DIGITS = 1 << DIGIT_BITS;

    private final double[] mass = new double[DIGITS];
    private int edge;
    private double below;

    /**
     * Looks for the edge.
     *
     * @param values the order; only the first {@code size} count
     * @param masses what is summed, parallel to the values
     * @param start  the sum to begin with
     * @param limit  where the sum may just be
     * @return whether the sum exceeds the limit at all
     */
    boolean find(float[] values, float[] masses, int size, double start, float limit) {
        edge = 0;
        below = start;
        int mask = 0;
        for (int shift = 32 - DIGIT_BITS; mask != -1; shift = Math.max(shift - DIGIT_BITS, 0)) {
            Arrays.fill(mass, 0);
            for (int i = 0; i < size; i++) {
                int key = Candidates.key(values[i]);
                if ((key & mask) == edge) {
                    mass[key >>> shift & DIGITS - 1] += masses[i];
                }
            }
            int digit = 0;
            while (digit < DIGITS && (float) (below + mass[digit]) <= limit) {
                below += mass[digit++];
            }
            if (digit < DIGITS) {
                edge |= digit << shift;
            } else if (mask == 0) {
                return false;
            } else {
                // Summed one by one, the digits round to a little less than their bucket did: all of it is below.
                edge |= ~mask;
                return true;
            }
            mask = -1 << shift;
        }
        return true;
    }

    /** The {@link Candidates#key} of the value at which the last sum exceeded the limit. */
    int edge() {
        return edge;
    }

    /** The last sum, of the values below the edge. */
    double below() {
        return below;
    }
}
