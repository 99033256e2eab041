package org.vecformer.engine.task;

/**
 * The vector of a text. The array belongs to the caller.
 *
 * @param vector    its numbers
 * @param tokens    how many tokens the model saw, special ones included, in all windows together
 * @param truncated whether the text had more: what was behind them has no part in the vector
 * @param windows   into how many parts the text was split; 1 for a text that was not
 */
public record Embedding(float[] vector, int tokens, boolean truncated, int windows) {}
