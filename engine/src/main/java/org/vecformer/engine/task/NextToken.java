package org.vecformer.engine.task;

/**
 * A token that may come next.
 *
 * @param id      its id
 * @param text    what it spells; empty without a tokenizer. A part of a character becomes U+FFFD
 * @param logprob natural logarithm of its probability among all tokens of the vocabulary
 */
public record NextToken(int id, String text, double logprob) {

    /** From 0 to 1. */
    public double probability() {
        return StrictMath.exp(logprob);
    }
}
