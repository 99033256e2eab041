package org.vecformer.engine.kernel;

/** Receives attention probabilities; called by several threads at once, never twice for the same row and head. */
@FunctionalInterface
public interface AttentionTrace {

    /**
     * @param row           of the batch
     * @param probabilities one for each position that the row attends to
     */
    void probabilities(int layer, int head, int row, float[] probabilities);
}
