package org.vecformer.engine.generation;

/**
 * Where the time of a generation went.
 *
 * @param promptSeconds     from the start to the logits of the prompt
 * @param generationSeconds from then to the end
 * @param generatedTokens   tokens that were written, an end token included
 */
public record Timing(double promptSeconds, double generationSeconds, int generatedTokens) {

    /** Generated tokens a second; 0 if there were none. */
    public double tokensPerSecond() {
        return generatedTokens > 0 && generationSeconds > 0 ? generatedTokens / generationSeconds : 0;
    }
}
