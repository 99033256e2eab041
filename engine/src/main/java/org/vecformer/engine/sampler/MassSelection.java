package org.vecformer.engine.sampler;

import java.util.Arrays;

/**
 * Finds where a running sum first exceeds a limit, in ascending order of some values (of equal ones, in the order of the
 * entries), without sorting them: a radix selection as {@link Candidates#kthLargest}, that sums masses where that one
 * counts.
 * <p>
 * The sum is accumulated in double and compared in float32, as {@code torch.cumsum} gives it.
 */
final class MassSelection {
    private final double[] mass = new double[Candidates.DIGITS];
    private int[] keys = new int[0];
    private float[] weights = new float[0];
    private double below;
    private int edge;
    private int skipped;

    /**
     * Looks for the edge.
     *
     * @param values the order; only the first {@code size} count
     * @param masses what is summed, parallel to the values; 0 for NaN
     * @param start  the sum to begin with: of those that are known to come first
     * @param limit  where the sum may just be; not negative
     * @return whether the sum exceeds the limit at all
     */
    boolean find(float[] values, float[] masses, int size, double start, float limit) {
        below = start;
        Arrays.fill(mass, 0);
        for (int i = 0; i < size; i++) {
            mass[Candidates.key(values[i]) >>> Candidates.FIRST_SHIFT] += masses[i];
        }
        int digit = digitAt(limit);
        if (digit == mass.length) {
            return false;
        }
        int count = collect(values, masses, size, digit);
        int prefix = digit << Candidates.FIRST_SHIFT;
        int mask = -1 << Candidates.FIRST_SHIFT;
        for (int shift = Candidates.FIRST_SHIFT - Candidates.DIGIT_BITS; mask != -1; shift = 0) {
            Arrays.fill(mass, 0);
            for (int i = 0; i < count; i++) {
                if ((keys[i] & mask) == prefix) {
                    mass[keys[i] >>> shift & mass.length - 1] += weights[i];
                }
            }
            digit = digitAt(limit);
            if (digit == mass.length) {
                // Summed one by one, the digits round to a little less than their bucket did: it is with the last one.
                edge = largest(count, prefix, mask);
                skipped = 0;
                return true;
            }
            prefix |= digit << shift;
            mask = -1 << shift;
        }
        edge = prefix;
        skipped = 0;
        for (int i = 0; i < count; i++) {
            if (keys[i] == edge) {
                below += weights[i];
                if ((float) below > limit) {
                    break;
                }
                skipped++;
            }
        }
        return true;
    }

    /** The first digit with which the sum exceeds the limit; what is below is added up. */
    private int digitAt(float limit) {
        int digit = 0;
        while (digit < mass.length && (float) (below + mass[digit]) <= limit) {
            below += mass[digit++];
        }
        return digit;
    }

    /** Takes those with this first digit aside, so that only they are looked at again. */
    private int collect(float[] values, float[] masses, int size, int digit) {
        if (keys.length < size) {
            keys = new int[values.length];
            weights = new float[values.length];
        }
        float least = Candidates.leastWith(digit);
        float most = Candidates.mostWith(digit);
        int count = 0;
        for (int i = 0; i < size; i++) {
            float value = values[i];
            if (value >= least && value <= most) {
                keys[count] = Candidates.key(value);
                weights[count++] = masses[i];
            }
        }
        return count;
    }

    private int largest(int count, int prefix, int mask) {
        int largest = prefix;
        for (int i = 0; i < count; i++) {
            if ((keys[i] & mask) == prefix && Integer.compareUnsigned(keys[i], largest) > 0) {
                largest = keys[i];
            }
        }
        return largest;
    }

    /** The value at which the last sum exceeded the limit. */
    float edge() {
        return Candidates.valueOf(edge);
    }

    /** How many of the values equal to the edge the sum took in without exceeding the limit. */
    int skipped() {
        return skipped;
    }
}
