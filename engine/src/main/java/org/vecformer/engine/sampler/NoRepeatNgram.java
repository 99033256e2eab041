package org.vecformer.engine.sampler;

/**
 * Forbids the tokens that would complete an n-gram which the text, prompt included, has already.
 * <p>
 * Equal to Hugging Face's {@code NoRepeatNGramLogitsProcessor}. (Paulus, Xiong and Socher 2017, arXiv 1705.04304; the
 * form is fairseq's.) One pass over the text for each step.
 */
public final class NoRepeatNgram extends HistorySampler {
    private final int size;

    /**
     * @param size n
     * @throws IllegalArgumentException if it is not positive
     */
    public NoRepeatNgram(int size) {
        this.size = Parameters.positive("n-gram size that must not repeat", size);
    }

    @Override
    public void apply(Candidates candidates) {
        int prefix = size - 1;
        for (int start = 0; start + prefix < history().length(); start++) {
            if (history().repeatsEndAt(start, prefix)) {
                candidates.forbid(history().get(start + prefix));
            }
        }
    }

    @Override
    public NoRepeatNgram copy() {
        return remembering(new NoRepeatNgram(size));
    }
}
