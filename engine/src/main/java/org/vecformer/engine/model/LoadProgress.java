package org.vecformer.engine.model;

/** Told how far loading is. Called from several threads, at least once for every two megabytes; must be quick. */
@FunctionalInterface
public interface LoadProgress {

    /** Tells nobody. */
    LoadProgress NONE = (_, _) -> {
    };

    /**
     * @param bytes read so far
     * @param total bytes of the model's tensors; a model may leave some of them unread
     */
    void loaded(long bytes, long total);
}
