package org.vecformer.engine.task;

/** Follows the work on many inputs, on the thread that does it. An exception it throws ends the work. */
@FunctionalInterface
public interface TaskProgress {

    /** Does nothing. */
    TaskProgress NONE = (_, _) -> {
    };

    /**
     * Told after each batch.
     *
     * @param done  inputs that are finished, not always the first ones
     * @param total all inputs
     */
    void done(int done, int total);
}
