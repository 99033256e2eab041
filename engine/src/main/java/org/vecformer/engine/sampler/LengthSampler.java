package org.vecformer.engine.sampler;

/** A sampler that needs to know of the text only how long it is. */
abstract class LengthSampler implements Sampler {
    private int promptLength;
    private int newTokens;

    /** Tokens of the prompt. */
    final int promptLength() {
        return promptLength;
    }

    /** Tokens accepted since the prompt. */
    final int newTokens() {
        return newTokens;
    }

    /** Tokens of prompt and continuation: Hugging Face's {@code input_ids.shape[-1]}. */
    final int length() {
        return promptLength + newTokens;
    }

    /** Whether it does anything to the next token. */
    abstract boolean isDue();

    @Override
    public final LogitsNeeded needs(LogitsNeeded behind) {
        return isDue() ? LogitsNeeded.ALL : behind;
    }

    @Override
    public final void acceptPrompt(int[] ids) {
        promptLength += ids.length;
    }

    @Override
    public final void accept(int token) {
        newTokens++;
    }

    @Override
    public final void reset() {
        promptLength = 0;
        newTokens = 0;
    }

    /** The copy, at the same place in the text. */
    final <S extends LengthSampler> S placed(S copy) {
        LengthSampler sampler = copy;
        sampler.promptLength = promptLength;
        sampler.newTokens = newTokens;
        return copy;
    }
}
