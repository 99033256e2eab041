package org.vecformer.engine.sampler;

/**
 * Keeps the k largest logits; candidates equal to the k-th stay too, so that there may be more than k.
 * Equal to Hugging Face's {@code TopKLogitsWarper}. (Fan, Lewis and Dauphin 2018, arXiv 1805.04833.)
 */
public final class TopK implements Sampler {
    private final int k;
    private final LogitsNeeded needed;

    /**
     * @throws IllegalArgumentException if k is not positive
     */
    public TopK(int k) {
        this(k, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, though k be less
     * @throws IllegalArgumentException if either is not positive
     */
    public TopK(int k, int minTokensToKeep) {
        if (k < 1) {
            throw new IllegalArgumentException("top-k is " + k + "; it must be positive");
        }
        this.k = Math.max(k, Parameters.minTokensToKeep(minTokensToKeep));
        needed = new LogitsNeeded.Largest(this.k, 1);
    }

    @Override
    public void apply(Candidates candidates) {
        if (k >= candidates.size()) {
            return;
        }
        float threshold = candidates.kthLargest(k);
        // NaN counts as the smallest: if it is the k-th, there is nothing below.
        if (!Float.isNaN(threshold)) {
            candidates.keepFrom(threshold);
        }
    }

    @Override
    public LogitsNeeded needs(LogitsNeeded behind) {
        return needed;
    }

    @Override
    public TopK copy() {
        return this;
    }
}
