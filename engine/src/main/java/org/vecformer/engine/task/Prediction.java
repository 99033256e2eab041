package org.vecformer.engine.task;

/**
 * What a model expects after the beginning of a text.
 *
 * @param position index of the last token that it has seen
 * @param prefix   the text up to that token; empty without a tokenizer
 * @param next     the most likely token; of equal ones that with the smallest id
 */
public record Prediction(int position, String prefix, NextToken next) {}
