package org.vecformer.engine.kernel;

/** What is asked of a row of logits, {@code count} numbers from an offset on; see {@link Ops}. */
public final class LogitRows {

    private LogitRows() {
    }

    /** The index, from 0 on, of the largest number; see {@link Ops#argMax}. */
    static int argMax(float[] x, int offset, int count) {
        int best = 0;
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            // False for NaN.
            if (x[offset + i] > largest) {
                best = i;
                largest = x[offset + i];
            }
        }
        return best;
    }

    /**
     * The k largest numbers; see {@link Ops#topK}. Each is put in its place among the best so far, which few of a row get
     * to: about k log(count / k) in random order.
     */
    public static int topK(float[] x, int offset, int count, int k, int[] ids, float[] values) {
        int most = Math.min(k, count);
        int found = 0;
        for (int i = 0; i < count; i++) {
            float value = x[offset + i];
            if (found == most && !isAbove(value, values[most - 1])) {
                continue;
            }
            int place = found < most ? found++ : most - 1;
            for (; place > 0 && isAbove(value, values[place - 1]); place--) {
                ids[place] = ids[place - 1];
                values[place] = values[place - 1];
            }
            ids[place] = i;
            values[place] = value;
        }
        return most;
    }

    /** NaN is below everything else. */
    private static boolean isAbove(float a, float b) {
        return a > b || Float.isNaN(b) && !Float.isNaN(a);
    }

    /**
     * The logarithm of the sum of e^x; see {@link Ops#logSumExp}. The sum is accumulated in double, in order, and its
     * logarithm is {@link StrictMath}'s: the same bits on every machine.
     */
    public static double logSumExp(float[] x, int offset, int count) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = offset; i < offset + count; i++) {
            if (x[i] > max) {
                max = x[i];
            }
        }
        if (max == Float.NEGATIVE_INFINITY) {
            return max;
        }
        double sum = 0;
        for (int i = offset; i < offset + count; i++) {
            sum += ScalarMath.exp(x[i] - max);
        }
        return max + StrictMath.log(sum);
    }
}
