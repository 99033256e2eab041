package org.vecformer.engine.sampler;

/** A sampler that looks at the tokens of the text so far. */
abstract class HistorySampler implements Sampler {
    private TokenHistory history = new TokenHistory();

    /** Prompt and continuation. */
    final TokenHistory history() {
        return history;
    }

    @Override
    public void acceptPrompt(int[] ids) {
        for (int id : ids) {
            history.add(id);
        }
    }

    @Override
    public void accept(int token) {
        history.add(token);
    }

    @Override
    public void reset() {
        history.clear();
    }

    /** The copy, with the same text behind it. */
    final <S extends HistorySampler> S remembering(S copy) {
        HistorySampler sampler = copy;
        sampler.history = history.copy();
        return copy;
    }
}
