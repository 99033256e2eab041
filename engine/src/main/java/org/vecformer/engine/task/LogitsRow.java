package org.vecformer.engine.task;

import org.vecformer.engine.sampler.LogSoftmax;

/** One row of logits, with what makes log-probabilities of them. */
final class LogitsRow {

    private final float[] logits;
    private double logSumExp;

    /** @param size how many logits there are */
    LogitsRow(int size) {
        logits = new float[size];
    }

    /** The logits: to be filled before {@link #read()}. */
    float[] logits() {
        return logits;
    }

    /**
     * Takes the logits that were filled in.
     *
     * @throws IllegalStateException if they make no probabilities: NaN or infinity is among them
     */
    void read() {
        logSumExp = LogSoftmax.logSumExp(logits, logits.length);
        if (!Double.isFinite(logSumExp)) {
            throw new IllegalStateException("the model computed logits that are not all numbers: its weights are"
                    + " damaged, or their type is too small for them");
        }
    }

    /** The natural logarithm of a token's probability. */
    double logprob(int id) {
        return logits[id] - logSumExp;
    }

    /** The most likely token; of equal ones the one with the smallest id. */
    int best() {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }
}
