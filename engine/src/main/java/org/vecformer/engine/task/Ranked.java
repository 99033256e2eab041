package org.vecformer.engine.task;

/**
 * A document with its score.
 *
 * @param index     of the document in the list that was given
 * @param score     how well it goes with the query
 * @param truncated whether query and document together were longer than the model could take
 */
public record Ranked(int index, double score, boolean truncated) {}
