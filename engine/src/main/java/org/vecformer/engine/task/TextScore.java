package org.vecformer.engine.task;

import java.util.stream.DoubleStream;

/**
 * How likely a model holds a text to be.
 *
 * @param ids      its tokens, with the begin token if that was asked for
 * @param logprobs for each of them the natural logarithm of its probability after those before it; NaN where there is
 *                 nothing before it in its window: always for the first one
 */
public record TextScore(int[] ids, double[] logprobs) {

    /** How many tokens have a log-probability. */
    public int scored() {
        return (int) scores().count();
    }

    /** The text's log-probability: the sum over its scored tokens; 0 if there are none. */
    public double sum() {
        double sum = 0;
        for (double logprob : logprobs) {
            sum += Double.isNaN(logprob) ? 0 : logprob;
        }
        return sum;
    }

    /** The mean over the scored tokens; NaN if there are none. */
    public double mean() {
        return sum() / scored();
    }

    /** e^-mean (Jelinek et al., 1977): among how many equally likely tokens the model chose, so to speak. */
    public double perplexity() {
        return StrictMath.exp(-mean());
    }

    private DoubleStream scores() {
        return DoubleStream.of(logprobs).filter(logprob -> !Double.isNaN(logprob));
    }
}
