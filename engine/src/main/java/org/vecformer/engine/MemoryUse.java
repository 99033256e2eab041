package org.vecformer.engine;

/**
 * The memory that an engine's models and sessions hold, in bytes: outside the Java heap, or on the device, but for the
 * working memory of sessions, most of which lies on the heap.
 *
 * @param weights of loaded models
 * @param caches  keys and values: what sessions may come to hold, counted when they are opened
 * @param scratch working memory of sessions
 * @param limit   what all together may hold; see {@link EngineOptions#memoryLimit}
 */
public record MemoryUse(long weights, long caches, long scratch, long limit) {

    /** All together. */
    public long total() {
        return weights + caches + scratch;
    }
}
