package org.vecformer.engine.model;

/**
 * How much memory a session may take.
 *
 * @param cacheTokens    positions that all sequences together may hold; 0 for one sequence of the model's context
 *                       length
 * @param maxBatchTokens the most rows of one step; longer prompts go in several steps
 */
public record SessionOptions(long cacheTokens, int maxBatchTokens) {

    private static final int DEFAULT_BATCH = 128;

    public SessionOptions {
        if (cacheTokens < 0) {
            throw new IllegalArgumentException(
                    "cacheTokens is " + cacheTokens + "; expected 0 (one full context) or more");
        }
        if (maxBatchTokens < 1) {
            throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens + "; expected at least 1");
        }
    }

    /** One sequence of the context length, steps of up to 128 rows. */
    public static SessionOptions defaults() {
        return new SessionOptions(0, DEFAULT_BATCH);
    }

    public SessionOptions withCacheTokens(long cacheTokens) {
        return new SessionOptions(cacheTokens, maxBatchTokens);
    }

    public SessionOptions withMaxBatchTokens(int maxBatchTokens) {
        return new SessionOptions(cacheTokens, maxBatchTokens);
    }
}
