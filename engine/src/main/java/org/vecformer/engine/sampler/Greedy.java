package org.vecformer.engine.sampler;

/**
 * Selects the candidate with the largest logit, of equal ones that with the lowest id, as {@code torch.argmax} in
 * Hugging Face's greedy search. NaN is never selected while there is a number; if all logits are NaN or negative
 * infinity, the lowest id is.
 */
public final class Greedy implements Sampler {

    /** Has no state: one object may serve many. */
    public Greedy() {
    }

    @Override
    public void apply(Candidates candidates) {
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        int size = candidates.size();
        int best = 0;
        float largest = Float.isNaN(logits[0]) ? Float.NEGATIVE_INFINITY : logits[0];
        for (int i = 1; i < size; i++) {
            float logit = logits[i];
            if (logit > largest || logit == largest && ids[i] < ids[best]) {
                best = i;
                largest = logit;
            }
        }
        candidates.select(best);
    }

    @Override
    public LogitsNeeded needs(LogitsNeeded behind) {
        return LogitsNeeded.ARG_MAX;
    }

    @Override
    public Greedy copy() {
        return this;
    }
}
