package org.vecformer.engine.sampler;

/**
 * Makes the end more likely with each token behind the start: adds |logit| * (factor^n - 1) to the end tokens' logits,
 * where n is by how many tokens the continuation is longer than the start. A factor below 1 makes the end less likely.
 * <p>
 * Equal to Hugging Face's {@code ExponentialDecayLengthPenalty}, but that an end token which is forbidden stays so
 * (there the sum of its infinities becomes NaN).
 */
public final class ExponentialDecayLengthPenalty extends LengthSampler {
    private final int start;
    private final double factor;
    private final int[] endTokens;

    /**
     * @param start     length of the continuation, in tokens, behind which the penalty begins
     * @param endTokens at least one
     * @throws IllegalArgumentException if the start is negative, the factor not positive and finite, there is no end
     *                                  token or one has a negative id
     */
    public ExponentialDecayLengthPenalty(int start, double factor, int... endTokens) {
        this.start = Parameters.notNegative("start of the exponential decay length penalty", start);
        Parameters.positive("factor of the exponential decay length penalty", factor);
        this.factor = factor;
        if (endTokens.length == 0) {
            throw new IllegalArgumentException(
                    "The exponential decay length penalty raises the logits of end tokens, but there is no end token");
        }
        this.endTokens = Parameters.tokens("end tokens", endTokens);
    }

    @Override
    boolean isDue() {
        return newTokens() > start;
    }

    @Override
    public void apply(Candidates candidates) {
        if (!isDue()) {
            return;
        }
        float growth = (float) Math.min(Power.of(factor, newTokens() - start) - 1, Float.MAX_VALUE);
        float[] logits = candidates.logits();
        for (int token : endTokens) {
            int index = candidates.indexOf(token);
            if (index >= 0 && logits[index] > Float.NEGATIVE_INFINITY) {
                logits[index] += Math.abs(logits[index]) * growth;
            }
        }
    }

    @Override
    public ExponentialDecayLengthPenalty copy() {
        return placed(new ExponentialDecayLengthPenalty(start, factor, endTokens));
    }
}
