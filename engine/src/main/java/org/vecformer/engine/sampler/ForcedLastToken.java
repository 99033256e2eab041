package org.vecformer.engine.sampler;

/**
 * Leaves only these tokens, equally likely, to come last in a text that gets as long as it may. Equal to Hugging Face's
 * {@code ForcedEOSTokenLogitsProcessor}.
 */
public final class ForcedLastToken extends LengthSampler {
    private final int maxLength;
    private final int[] tokens;
    private final int largest;

    /**
     * @param maxLength of prompt and continuation together
     * @throws IllegalArgumentException if there is no token, or an id is negative
     */
    public ForcedLastToken(int maxLength, int... tokens) {
        if (tokens.length == 0) {
            throw new IllegalArgumentException("There is no forced last token; there must be at least one");
        }
        this.maxLength = maxLength;
        this.tokens = Parameters.tokens("forced last tokens", tokens);
        this.largest = Parameters.largest(tokens);
    }

    @Override
    boolean isDue() {
        return length() == maxLength - 1;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if the vocabulary does not have one of the tokens
     */
    @Override
    public void apply(Candidates candidates) {
        candidates.requireToken(largest, "forced last token");
        if (isDue()) {
            candidates.force(tokens);
        }
    }

    @Override
    public ForcedLastToken copy() {
        return placed(new ForcedLastToken(maxLength, tokens));
    }
}
