package org.vecformer.engine.task;

/**
 * What an {@link EmbeddingBatcher} has to do and has done, for metrics.
 *
 * @param queuedRequests requests that have something waiting for a later run
 * @param queuedTokens   how many tokens that is
 * @param runs           how often the model has run
 * @param sequences      how many texts, or windows of long texts, the runs had together
 * @param tokens         how many tokens those had
 */
public record EmbeddingLoad(int queuedRequests, long queuedTokens, long runs, long sequences, long tokens) {}
