package org.vecformer.engine.generation;

import java.util.List;

/**
 * How likely a token was: by the model's own distribution (after guidance, if there is any), not by what samplers made
 * of it.
 *
 * @param id      the token that was chosen
 * @param logprob its natural log-probability
 * @param top     the most likely tokens of that step, the best first, equal ones by id
 */
public record TokenScore(int id, double logprob, List<TokenLogprob> top) {}
