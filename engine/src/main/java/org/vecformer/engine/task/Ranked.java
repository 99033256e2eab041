package org.vecformer.engine.task;

/**
 * A document with its score.
 *
 * @param index     of the document in the list that was given
 * @param score     how well it goes with the query
 * @param tokens    how many tokens the model saw of query and document, special ones included
 * @param truncated whether query and document together were longer than the model could take
 */
public record Ranked(int index, double score, int tokens, boolean truncated) {}
