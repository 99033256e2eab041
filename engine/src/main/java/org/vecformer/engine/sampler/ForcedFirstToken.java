package org.vecformer.engine.sampler;

/**
 * Leaves only this token to come second in the text, after a prompt of one token (that which begins a text); elsewhere
 * it does nothing. Equal to Hugging Face's {@code ForcedBOSTokenLogitsProcessor}.
 */
public final class ForcedFirstToken extends LengthSampler {
    private final int[] tokens;

    /**
     * @throws IllegalArgumentException if the id is negative
     */
    public ForcedFirstToken(int token) {
        this.tokens = new int[]{Parameters.notNegative("id of the forced first token", token)};
    }

    @Override
    boolean isDue() {
        return length() == 1;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if the vocabulary does not have the token
     */
    @Override
    public void apply(Candidates candidates) {
        candidates.requireToken(tokens[0], "forced first token");
        if (isDue()) {
            candidates.force(tokens);
        }
    }

    @Override
    public ForcedFirstToken copy() {
        return placed(new ForcedFirstToken(tokens[0]));
    }
}
