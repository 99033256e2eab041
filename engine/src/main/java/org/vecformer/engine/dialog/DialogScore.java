package org.vecformer.engine.dialog;

import java.util.List;

/**
 * What came of many examples. Immutable; sums are taken in the order of the examples.
 *
 * @param examples how many there were
 * @param hits     of how many the best candidate was gold
 * @param logprob  the natural logarithm of the probability of all tokens of all golds, what ends each included
 * @param tokens   how many tokens that are
 * @param replies  how many replies the model wrote
 * @param f1Sum    the sum of their F1
 */
public record DialogScore(int examples, int hits, double logprob, long tokens, int replies, double f1Sum) {

    /** Nothing yet. */
    public static final DialogScore NONE = new DialogScore(0, 0, 0, 0, 0, 0);

    /** Of all these together. */
    public static DialogScore of(List<ExampleScore> scores) {
        DialogScore sum = NONE;
        for (ExampleScore score : scores) {
            sum = sum.and(score);
        }
        return sum;
    }

    /** With one more. */
    public DialogScore and(ExampleScore one) {
        return new DialogScore(examples + 1, hits + (one.hit() ? 1 : 0), logprob + one.logprob(), tokens + one.tokens(),
                replies + (one.reply() == null ? 0 : 1), f1Sum + one.f1());
    }

    /** The share of examples whose best candidate was gold; NaN if there were none. */
    public double hitsAt1() {
        return (double) hits / examples;
    }

    /**
     * e to the mean negative log-probability of a token of gold. The mean is over all tokens of all examples. The
     * article's training code (train.py, {@code average_nll}) takes it over the tokens of each batch and then over the
     * batches, which counts tokens of short batches more; with all examples in one batch it is the same.
     */
    public double perplexity() {
        return Math.exp(-logprob / tokens);
    }

    /** The mean F1 of the replies; NaN if there were none. */
    public double f1() {
        return f1Sum / replies;
    }
}
