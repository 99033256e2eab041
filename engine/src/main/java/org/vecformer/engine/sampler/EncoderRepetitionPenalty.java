package org.vecformer.engine.sampler;

/**
 * Makes the prompt's tokens more likely: multiplies their logits by the number, or divides them if they are negative;
 * in float32. A number below 1 makes them less likely.
 * <p>
 * Equal to Hugging Face's {@code EncoderRepetitionPenaltyLogitsProcessor}, for which the prompt of a model without an
 * encoder is the encoder's input: a {@link RepetitionPenalty} of the inverse.
 */
public final class EncoderRepetitionPenalty implements Sampler {
    private final float inverse;
    private final TokenCounts prompt;

    /**
     * @throws IllegalArgumentException if the penalty is not a positive finite number
     */
    public EncoderRepetitionPenalty(double penalty) {
        this(inverse(penalty), new TokenCounts());
    }

    private EncoderRepetitionPenalty(float inverse, TokenCounts prompt) {
        this.inverse = inverse;
        this.prompt = prompt;
    }

    /** Rounded once, as there: not the inverse of the rounded penalty. */
    private static float inverse(double penalty) {
        Parameters.positive("encoder repetition penalty", penalty);
        return (float) (1 / penalty);
    }

    @Override
    public void apply(Candidates candidates) {
        RepetitionPenalty.penalize(candidates, prompt, inverse);
    }

    @Override
    public void acceptPrompt(int[] ids) {
        for (int id : ids) {
            prompt.add(id, 1);
        }
    }

    @Override
    public void reset() {
        prompt.clear();
    }

    @Override
    public EncoderRepetitionPenalty copy() {
        return new EncoderRepetitionPenalty(inverse, prompt.copy());
    }
}
