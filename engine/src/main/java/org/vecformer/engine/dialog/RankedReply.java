package org.vecformer.engine.dialog;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How well a reply fits.
 *
 * @param index       of the candidate, as they were given
 * @param text        the candidate
 * @param score       of what ranks: the logit of the next-utterance head; without it the mean log-probability of the
 *                    reply's tokens; of a next-sentence head the logit of "it follows" minus that of "it does not". Better
 *                    ones have larger scores
 * @param probability softmax of the scores of all candidates
 */
public record RankedReply(int index, String text, double score, double probability) {

    /**
     * Candidates with these scores, the best first.
     *
     * @throws IllegalStateException if a score is not a number
     */
    static List<RankedReply> ranked(List<String> candidates, double[] scores) {
        if (!Arrays.stream(scores).allMatch(Double::isFinite)) {
            throw new IllegalStateException("the model computed scores that are not all numbers: its weights are"
                    + " damaged, or their type is too small for them");
        }
        double best = Arrays.stream(scores).max().orElse(0);
        double sum = Arrays.stream(scores).map(score -> StrictMath.exp(score - best)).sum();
        return IntStream.range(0, scores.length)
                .mapToObj(i -> new RankedReply(i, candidates.get(i), scores[i], StrictMath.exp(scores[i] - best) / sum))
                .sorted(Comparator.comparingDouble(RankedReply::score).reversed()).toList();
    }
}
