package org.vecformer.engine.tensor;

/**
 * Rows of float32 activations that a session owns and uses again at every step, in the memory of the backend that made
 * it and that alone can compute with it.
 */
public interface Tensor extends AutoCloseable {

    /** The columns of a weight panel (see {@link PackedMatrix}): a multiple of every lane count from 2 to 16. */
    int PANEL = 32;

    /** How many rows there is room for. */
    int rows();

    /** The numbers of a row. */
    int columns();

    /** Frees the memory before its session does; the tensor must not be used any more. */
    @Override
    void close();

    /** The least multiple of {@link #PANEL} that is not below {@code columns}. */
    static int roundUp(int columns) {
        return Math.ceilDiv(columns, PANEL) * PANEL;
    }
}
