package org.vecformer.engine.sampler;

/**
 * Forbids these tokens to begin the continuation. Equal to Hugging Face's {@code SuppressTokensAtBeginLogitsProcessor}
 * as its {@code generate} uses it: if the first token is forced, it is the second that must not be one of these.
 */
public final class BeginSuppressTokens extends LengthSampler {
    private final int[] tokens;
    private final boolean firstIsForced;

    /** Forbids these to come first. */
    public BeginSuppressTokens(int... tokens) {
        this(false, tokens);
    }

    /**
     * @param firstIsForced whether a {@link ForcedFirstToken} is in the chain
     * @param tokens        those outside the vocabulary do not matter
     * @throws IllegalArgumentException if an id is negative
     */
    public BeginSuppressTokens(boolean firstIsForced, int... tokens) {
        this.tokens = Parameters.tokens("tokens suppressed at the beginning", tokens);
        this.firstIsForced = firstIsForced;
    }

    @Override
    boolean isDue() {
        return newTokens() == (firstIsForced && promptLength() <= 1 ? 1 : 0);
    }

    @Override
    public void apply(Candidates candidates) {
        if (isDue()) {
            candidates.forbid(tokens);
        }
    }

    @Override
    public BeginSuppressTokens copy() {
        return placed(new BeginSuppressTokens(firstIsForced, tokens));
    }
}
