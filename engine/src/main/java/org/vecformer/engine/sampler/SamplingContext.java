package org.vecformer.engine.sampler;

/**
 * What samplers have to know of the sequence that they will serve.
 *
 * @param maxLength       the most tokens of prompt and continuation together
 * @param endTokens       ids that end the text; sorted, perhaps empty; not to be changed
 * @param minTokensToKeep how many candidates a truncation must leave: 1, and for beams as many as it takes to go on if
 *                        the best ones end (Hugging Face: end tokens + 1)
 * @param seed            the sequence's own, for what is decided at random on the way; {@link Sampling#draw} gets the
 *                        same one
 */
public record SamplingContext(int maxLength, int[] endTokens, int minTokensToKeep, long seed) {}
