package org.vecformer.engine.generation;

/**
 * Where the time of a generation went.
 *
 * @param promptSeconds     from the start to the logits of the prompt
 * @param generationSeconds from then to the end
 * @param generatedTokens   tokens that were written, an end token included
 * @param steps             how often the model ran behind the prompt, whose own logits give the first tokens: with drafts,
 *                          beams or several sequences there are more tokens than steps
 */
public record Timing(double promptSeconds, double generationSeconds, int generatedTokens, long steps) {

    /** Generated tokens a second; 0 if there were none. */
    public double tokensPerSecond() {
        return generatedTokens > 0 && generationSeconds > 0 ? generatedTokens / generationSeconds : 0;
    }

    /** Tokens that a run of the model gave on average, the prompt's included: what drafts save. */
    public double tokensPerStep() {
        return generatedTokens / (steps + 1.0);
    }
}
