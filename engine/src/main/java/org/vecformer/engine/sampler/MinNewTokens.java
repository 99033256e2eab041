package org.vecformer.engine.sampler;

/**
 * Forbids the end tokens until the continuation has so many tokens. Equal to Hugging Face's
 * {@code MinNewTokensLengthLogitsProcessor}.
 */
public final class MinNewTokens extends LengthSampler {
    private final int minNewTokens;
    private final int[] endTokens;

    /**
     * @param endTokens those outside the vocabulary do not matter
     * @throws IllegalArgumentException if the number is negative
     */
    public MinNewTokens(int minNewTokens, int... endTokens) {
        this.minNewTokens = Parameters.notNegative("least number of new tokens", minNewTokens);
        this.endTokens = endTokens.clone();
    }

    @Override
    boolean isDue() {
        return newTokens() < minNewTokens;
    }

    @Override
    public void apply(Candidates candidates) {
        if (isDue()) {
            candidates.forbid(endTokens);
        }
    }

    @Override
    public MinNewTokens copy() {
        return placed(new MinNewTokens(minNewTokens, endTokens));
    }
}
