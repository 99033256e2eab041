package org.vecformer.engine.task;

/**
 * A label and how much speaks for it.
 *
 * @param index the model's output
 * @param label its name in the model's config, {@code LABEL_0} and so on without one
 * @param score a probability, or a logit if there is no function behind it
 */
public record LabelScore(int index, String label, double score) {}
