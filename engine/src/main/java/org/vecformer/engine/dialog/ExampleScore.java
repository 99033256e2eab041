package org.vecformer.engine.dialog;

import java.util.List;

/**
 * What came of one {@link DialogExample}.
 *
 * @param scores  of its candidates, in their order: what they are ranked by, see {@link DialogEvaluator#rankedBy()}
 * @param hit     whether the best one, of equal ones the first, says what gold says
 * @param logprob the natural logarithm of the probability of gold's tokens, what ends it included
 * @param tokens  how many tokens that are
 * @param reply   what the model wrote; null if it was not asked to
 * @param f1      of that reply and gold, 0 to 1; 0 if there is none
 */
public record ExampleScore(List<Double> scores, boolean hit, double logprob, int tokens, String reply, double f1) {

    public ExampleScore {
        scores = List.copyOf(scores);
    }
}
