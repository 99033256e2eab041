package org.vecformer.engine.task;

/**
 * How well a model guesses the last words of passages.
 *
 * @param passages how many there are
 * @param correct  how many last words the model writes itself when it always takes the most likely token
 * @param sum      of the last words' log-probabilities
 */
public record LastWordScore(int passages, int correct, double sum) {

    /** The share of last words that were guessed. */
    public double accuracy() {
        return (double) correct / passages;
    }

    /** The perplexity of a last word: e^(-sum / passages). */
    public double perplexity() {
        return StrictMath.exp(-sum / passages);
    }
}
