package org.vecformer.engine.model;

import org.vecformer.engine.WeightType;

/**
 * How much memory a session may take.
 *
 * @param cacheTokens    positions that all sequences together may hold; 0 for one sequence of the model's context
 *                       length
 * @param maxBatchTokens the most rows of one step; longer prompts go in several steps
 * @param cacheType      how keys and values are kept: F32, or BF16 in half of the memory. That changes results: the
 *                       storyteller's logits over 500 random tokens by up to 0.011
 */
public record SessionOptions(long cacheTokens, int maxBatchTokens, WeightType cacheType) {

    private static final int DEFAULT_BATCH = 128;

    public SessionOptions {
        if (cacheTokens < 0) {
            throw new IllegalArgumentException(
                    "cacheTokens is " + cacheTokens + "; expected 0 (one full context) or more");
        }
        if (maxBatchTokens < 1) {
            throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens + "; expected at least 1");
        }
        if (cacheType != WeightType.F32 && cacheType != WeightType.BF16) {
            throw new IllegalArgumentException("cacheType is " + cacheType + "; expected F32 or BF16");
        }
    }

    /** A cache of float32. */
    public SessionOptions(long cacheTokens, int maxBatchTokens) {
        this(cacheTokens, maxBatchTokens, WeightType.F32);
    }

    /** One sequence of the context length, steps of up to 128 rows. */
    public static SessionOptions defaults() {
        return new SessionOptions(0, DEFAULT_BATCH);
    }

    public SessionOptions withCacheTokens(long cacheTokens) {
        return new SessionOptions(cacheTokens, maxBatchTokens, cacheType);
    }

    public SessionOptions withMaxBatchTokens(int maxBatchTokens) {
        return new SessionOptions(cacheTokens, maxBatchTokens, cacheType);
    }

    public SessionOptions withCacheType(WeightType cacheType) {
        return new SessionOptions(cacheTokens, maxBatchTokens, cacheType);
    }
}
