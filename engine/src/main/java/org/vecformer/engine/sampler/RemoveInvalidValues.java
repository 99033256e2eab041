package org.vecformer.engine.sampler;

/**
 * Puts numbers in the place of what is none: 0 for NaN, the largest and the smallest finite float32 for the infinities.
 * Equal to Hugging Face's {@code InfNanRemoveLogitsProcessor}; candidates that were removed before stay so.
 */
public final class RemoveInvalidValues implements Sampler {

    /** Has no state: one object may serve many. */
    public RemoveInvalidValues() {
    }

    @Override
    public void apply(Candidates candidates) {
        float[] logits = candidates.logits();
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            float logit = logits[i];
            if (!Float.isFinite(logit)) {
                logits[i] = Float.isNaN(logit) ? 0 : Math.copySign(Float.MAX_VALUE, logit);
            }
        }
    }

    @Override
    public RemoveInvalidValues copy() {
        return this;
    }
}
