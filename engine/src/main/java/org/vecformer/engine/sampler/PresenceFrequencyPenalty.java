package org.vecformer.engine.sampler;

/**
 * Subtracts from a token's logit the frequency penalty times the number of its occurrences, and the presence penalty if
 * there is one at all; in float32, one after the other. Negative penalties reward.
 * <p>
 * The formula is that of OpenAI's API (<em>Advanced usage: frequency and presence penalties</em>). What is counted
 * differs in the ecosystem, and the window says it: with none (0), the tokens of the continuation, as OpenAI and vLLM
 * do; with a positive one, so many last tokens of prompt and continuation, as llama.cpp's {@code penalty_last_n}.
 */
public final class PresenceFrequencyPenalty extends HistorySampler {
    private final float presence;
    private final float frequency;
    private final int window;
    private final TokenCounts counts;

    /**
     * @param window how many tokens at the end of prompt and continuation count; 0: the whole continuation, and nothing
     *               of the prompt
     * @throws IllegalArgumentException if a penalty is not finite, or the window negative
     */
    public PresenceFrequencyPenalty(double presence, double frequency, int window) {
        this(Parameters.finite("presence penalty", presence), Parameters.finite("frequency penalty", frequency),
                Parameters.notNegative("window of the presence and frequency penalties", window), new TokenCounts());
    }

    private PresenceFrequencyPenalty(float presence, float frequency, int window, TokenCounts counts) {
        this.presence = presence;
        this.frequency = frequency;
        this.window = window;
        this.counts = counts;
    }

    @Override
    public void apply(Candidates candidates) {
        float[] logits = candidates.logits();
        for (int slot = 0; slot < counts.slots(); slot++) {
            int index = candidates.indexOf(counts.token(slot));
            if (index >= 0 && counts.count(slot) > 0) {
                logits[index] = logits[index] - counts.count(slot) * frequency - presence;
            }
        }
    }

    @Override
    public void acceptPrompt(int[] ids) {
        if (window > 0) {
            for (int id : ids) {
                accept(id);
            }
        }
    }

    @Override
    public void accept(int token) {
        counts.add(token, 1);
        if (window > 0) {
            super.accept(token);
            int left = history().length() - 1 - window;
            if (left >= 0) {
                counts.add(history().get(left), -1);
            }
        }
    }

    @Override
    public void reset() {
        super.reset();
        counts.clear();
    }

    @Override
    public PresenceFrequencyPenalty copy() {
        return remembering(new PresenceFrequencyPenalty(presence, frequency, window, counts.copy()));
    }
}
