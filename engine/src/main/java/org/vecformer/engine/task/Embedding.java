package org.vecformer.engine.task;

/**
 * The vector of a text. The array belongs to the caller.
 *
 * @param vector    its numbers
 * @param tokens    how many tokens the model saw, special ones included
 * @param truncated whether the text had more
 */
public record Embedding(float[] vector, int tokens, boolean truncated) {}
