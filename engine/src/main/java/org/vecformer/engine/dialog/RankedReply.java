package org.vecformer.engine.dialog;

/**
 * How well a reply fits.
 *
 * @param index       of the candidate, as they were given
 * @param text        the candidate
 * @param score       the logit of the head that ranks, or where there is none the mean log-probability of the reply's
 *                    tokens: better ones have larger scores
 * @param probability softmax of the scores of all candidates
 */
public record RankedReply(int index, String text, double score, double probability) {}
