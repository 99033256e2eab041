package org.vecformer.engine.sampler;

import org.vecformer.engine.kernel.LogitRows;

/**
 * Log-probabilities of logits: {@code x - log(sum(e^x))}. The sum is accumulated in double, in the order of the
 * entries, and its logarithm is {@link StrictMath}'s: the same bits on every machine.
 */
public final class LogSoftmax {

    private LogSoftmax() {
    }

    /**
     * {@code log(sum(e^x))} of the first {@code size} logits: what to subtract from a logit for its log-probability.
     * Negative infinity if none is above that.
     */
    public static double logSumExp(float[] logits, int size) {
        return LogitRows.logSumExp(logits, 0, size);
    }

    /** Makes log-probabilities of the first {@code size} logits. */
    public static void normalize(float[] logits, int size) {
        double logSumExp = logSumExp(logits, size);
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (logits[i] - logSumExp);
        }
    }
}
