package org.vecformer.engine.generation;

/**
 * A token and its natural log-probability.
 */
public record TokenLogprob(int id, double logprob) {}
