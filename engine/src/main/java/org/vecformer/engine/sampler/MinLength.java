package org.vecformer.engine.sampler;

/**
 * Forbids the end tokens until prompt and continuation together have so many tokens. Equal to Hugging Face's
 * {@code MinLengthLogitsProcessor}.
 */
public final class MinLength extends LengthSampler {
    private final int minLength;
    private final int[] endTokens;

    /**
     * @param endTokens those outside the vocabulary do not matter
     * @throws IllegalArgumentException if the length is negative
     */
    public MinLength(int minLength, int... endTokens) {
        this.minLength = Parameters.notNegative("least length", minLength);
        this.endTokens = endTokens.clone();
    }

    @Override
    boolean isDue() {
        return length() < minLength;
    }

    @Override
    public void apply(Candidates candidates) {
        if (isDue()) {
            candidates.forbid(endTokens);
        }
    }

    @Override
    public MinLength copy() {
        return placed(new MinLength(minLength, endTokens));
    }
}
