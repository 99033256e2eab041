package org.vecformer.engine.task;

/**
 * How much an {@link EmbeddingBatcher} computes at once, and how much may wait for it.
 *
 * @param maxBatchTokens  the most tokens of one run; a single sequence may have more, up to the model's context length.
 *                        More of them make a run faster by the token, up to about a thousand, and make those who come
 *                        next wait longer; scratch memory grows with them
 * @param maxQueuedTokens the most tokens that wait; requests that would make them more are refused. By the speed of the
 *                        model, this is the longest time that a request waits
 */
public record EmbeddingBatcherOptions(int maxBatchTokens, int maxQueuedTokens) {

    /**
     * @throws IllegalArgumentException if one is below 1
     */
    public EmbeddingBatcherOptions {
        if (maxBatchTokens < 1 || maxQueuedTokens < 1) {
            throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens + " and maxQueuedTokens is "
                    + maxQueuedTokens + "; expected at least 1");
        }
    }

    /** Runs of up to 1024 tokens, and a queue of 256 such runs. */
    public static EmbeddingBatcherOptions defaults() {
        return new EmbeddingBatcherOptions(1024, 256 * 1024);
    }

    public EmbeddingBatcherOptions withMaxBatchTokens(int maxBatchTokens) {
        return new EmbeddingBatcherOptions(maxBatchTokens, maxQueuedTokens);
    }

    public EmbeddingBatcherOptions withMaxQueuedTokens(int maxQueuedTokens) {
        return new EmbeddingBatcherOptions(maxBatchTokens, maxQueuedTokens);
    }
}
