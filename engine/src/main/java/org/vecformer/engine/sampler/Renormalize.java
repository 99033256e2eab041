package org.vecformer.engine.sampler;

/**
 * Makes the logits the logarithms of the probabilities: log-softmax. Equal to Hugging Face's
 * {@code LogitNormalization}, but that logits none of which is finite stay as they are.
 */
public final class Renormalize implements Sampler {

    /** Has no state: one object may serve many. */
    public Renormalize() {
    }

    @Override
    public void apply(Candidates candidates) {
        candidates.softmax();
        double logTotal = candidates.logTotal();
        if (!Double.isFinite(logTotal)) {
            return;
        }
        float[] logits = candidates.logits();
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (logits[i] - logTotal);
        }
    }

    @Override
    public Renormalize copy() {
        return this;
    }
}
