package org.vecformer.engine.sampler;

/**
 * Forbids the tokens that would complete an n-gram of the prompt; n-grams of the continuation may repeat.
 * <p>
 * Equal to Hugging Face's {@code EncoderNoRepeatNGramLogitsProcessor}, for which the prompt of a model without an
 * encoder is the encoder's input. One pass over the prompt for each step.
 */
public final class EncoderNoRepeatNgram extends HistorySampler {
    private final int size;
    private int promptLength;

    /**
     * @param size n
     * @throws IllegalArgumentException if it is not positive
     */
    public EncoderNoRepeatNgram(int size) {
        this.size = Parameters.positive("n-gram size of the prompt that must not repeat", size);
    }

    @Override
    public void apply(Candidates candidates) {
        int prefix = size - 1;
        for (int start = 0; start + prefix < promptLength; start++) {
            if (history().repeatsEndAt(start, prefix)) {
                candidates.forbid(history().get(start + prefix));
            }
        }
    }

    @Override
    public void acceptPrompt(int[] ids) {
        super.acceptPrompt(ids);
        promptLength = history().length();
    }

    @Override
    public void reset() {
        super.reset();
        promptLength = 0;
    }

    @Override
    public EncoderNoRepeatNgram copy() {
        EncoderNoRepeatNgram copy = remembering(new EncoderNoRepeatNgram(size));
        copy.promptLength = promptLength;
        return copy;
    }
}
