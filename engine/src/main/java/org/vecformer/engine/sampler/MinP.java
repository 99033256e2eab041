package org.vecformer.engine.sampler;

import org.vecformer.engine.kernel.ScalarMath;

/**
 * Keeps the candidates that are at least min-p times as likely as the most likely one.
 * <p>
 * Equal to Hugging Face's {@code MinPLogitsWarper}. (Nguyen et al. 2024, arXiv 2407.01082.) The share is that of
 * e^logit, so no distribution has to be computed.
 */
public final class MinP implements Sampler {
    private final float minP;
    private final float negligible;
    private final int minTokensToKeep;

    /**
     * @throws IllegalArgumentException if min-p is not in 0..1
     */
    public MinP(double minP) {
        this(minP, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, the most likely ones; equal ones at that edge all do
     * @throws IllegalArgumentException if min-p is not in 0..1, or the number not positive
     */
    public MinP(double minP, int minTokensToKeep) {
        this.minP = (float) Parameters.probability("min-p", minP);
        // So far below the edge that no rounding carries a candidate over it.
        this.negligible = (float) StrictMath.log(minP) - 0.01f;
        this.minTokensToKeep = Parameters.minTokensToKeep(minTokensToKeep);
    }

    @Override
    public void apply(Candidates candidates) {
        if (minTokensToKeep >= candidates.size()) {
            return;
        }
        float max = candidates.largest();
        if (!Float.isFinite(max)) {
            candidates.keepInfinite();
            return;
        }
        float floor = minTokensToKeep == 1 ? max : candidates.kthLargest(minTokensToKeep);
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        int size = candidates.size();
        int kept = 0;
        for (int i = 0; i < size; i++) {
            float difference = logits[i] - max;
            if (difference >= negligible && ScalarMath.exp(difference) >= minP || logits[i] >= floor) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                kept++;
            }
        }
        candidates.truncate(kept);
    }

    @Override
    public MinP copy() {
        return this;
    }
}
