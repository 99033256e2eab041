package org.vecformer.engine.sampler;

/**
 * Divides the logits of tokens that the text has already, however often, by the penalty, or multiplies them if they are
 * negative; in float32. A penalty below 1 rewards repetition.
 * <p>
 * Equal to Hugging Face's {@code RepetitionPenaltyLogitsProcessor}. (Keskar et al. 2019, CTRL, arXiv 1909.05858, who
 * only divide.) The prompt counts too.
 */
public final class RepetitionPenalty implements Sampler {
    private final float penalty;
    private final int ignoredTokens;
    private final TokenCounts seen;
    private int position;

    /**
     * @throws IllegalArgumentException if the penalty is not a positive finite number
     */
    public RepetitionPenalty(double penalty) {
        this(penalty, 0);
    }

    /**
     * @param ignoredTokens so many tokens at the beginning of the text do not count (Hugging Face:
     *                      {@code prompt_ignore_length})
     * @throws IllegalArgumentException if the penalty is not a positive finite number, or the number is negative
     */
    public RepetitionPenalty(double penalty, int ignoredTokens) {
        this((float) Parameters.positive("repetition penalty", penalty),
                Parameters.notNegative("number of tokens that the repetition penalty ignores", ignoredTokens),
                new TokenCounts(), 0);
    }

    private RepetitionPenalty(float penalty, int ignoredTokens, TokenCounts seen, int position) {
        this.penalty = penalty;
        this.ignoredTokens = ignoredTokens;
        this.seen = seen;
        this.position = position;
    }

    @Override
    public void apply(Candidates candidates) {
        penalize(candidates, seen, penalty);
    }

    /** Divides positive logits of these tokens, multiplies negative ones. */
    static void penalize(Candidates candidates, TokenCounts tokens, float penalty) {
        float[] logits = candidates.logits();
        for (int slot = 0; slot < tokens.slots(); slot++) {
            int index = candidates.indexOf(tokens.token(slot));
            if (index >= 0) {
                float logit = logits[index];
                logits[index] = logit < 0 ? logit * penalty : logit / penalty;
            }
        }
    }

    @Override
    public void acceptPrompt(int[] ids) {
        for (int id : ids) {
            accept(id);
        }
    }

    @Override
    public void accept(int token) {
        if (position++ >= ignoredTokens) {
            seen.add(token, 1);
        }
    }

    @Override
    public void reset() {
        seen.clear();
        position = 0;
    }

    @Override
    public RepetitionPenalty copy() {
        return new RepetitionPenalty(penalty, ignoredTokens, seen.copy(), position);
    }
}
