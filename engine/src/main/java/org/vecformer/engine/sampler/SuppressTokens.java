package org.vecformer.engine.sampler;

/** Forbids these tokens always. Equal to Hugging Face's {@code SuppressTokensLogitsProcessor}. */
public final class SuppressTokens implements Sampler {
    private final int[] tokens;

    /**
     * @param tokens those outside the vocabulary do not matter
     * @throws IllegalArgumentException if an id is negative
     */
    public SuppressTokens(int... tokens) {
        this.tokens = Parameters.tokens("suppressed tokens", tokens);
    }

    @Override
    public void apply(Candidates candidates) {
        candidates.forbid(tokens);
    }

    @Override
    public SuppressTokens copy() {
        return this;
    }
}
