package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a beam has written: the last token, and what stands before it. Those with the same beginning share it.
 *
 * @param before what the last token follows; null if nothing was written
 * @param id     the last token
 * @param sum    of the log-probabilities of all tokens, as the samplers changed them
 * @param told   what is to be told of the last token's probability; null for nothing
 * @param length number of tokens
 */
record Hypothesis(Hypothesis before, int id, float sum, TokenScore told, int length) {

    /** Nothing was written. */
    static final Hypothesis EMPTY = new Hypothesis(null, -1, 0, null, 0);

    int[] ids() {
        int[] ids = new int[length];
        for (Hypothesis last = this; last.length > 0; last = last.before) {
            ids[last.length - 1] = last.id;
        }
        return ids;
    }

    /** One for each token; empty if nothing is to be told. */
    List<TokenScore> scores() {
        List<TokenScore> scores = new ArrayList<>();
        for (Hypothesis last = this; last.told != null; last = last.before) {
            scores.add(last.told);
        }
        Collections.reverse(scores);
        return List.copyOf(scores);
    }

    /** What hypotheses of different lengths are compared by: the sum divided by length^penalty. */
    static float score(float sum, int length, double lengthPenalty) {
        return sum / (float) StrictMath.pow(Math.max(1, length), lengthPenalty);
    }
}
