package org.vecformer.engine.task;

/**
 * One of several texts.
 *
 * @param index       its place in the list that was given
 * @param logit       the model's score
 * @param probability among the texts that were given: softmax over their logits
 * @param truncated   whether it was longer than the model could take
 */
public record Choice(int index, double logit, double probability, boolean truncated) {}
