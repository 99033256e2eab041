package org.vecformer.engine.tensor;

/**
 * Rows of float32 activations that a session owns and uses again at every step.
 * <p>
 * Row {@code r} starts at {@code r * stride()}; the stride is the least odd multiple of {@link #PANEL} that is not below
 * the number of columns. Kernels may store whole panels; and a panel of many rows, which a matrix product writes and
 * reads again, spreads over the whole first-level cache, where rows at an even distance would crowd into a few of its
 * sets. What lies between {@code columns} and the stride is not part of the tensor.
 * <p>
 * Unlike weights these live on the heap: the JIT compiles sixteen broadcast loads from an array into a tight loop, from
 * a memory segment it gives up (bench/README.md, "Where activations live").
 *
 * @param data    {@code rows * stride()} floats
 * @param rows    how many rows there is room for
 * @param columns the numbers of a row
 */
public record Tensor(float[] data, int rows, int columns) {

    /** The columns of a weight panel (see {@link PackedMatrix}): a multiple of every lane count from 2 to 16. */
    public static final int PANEL = 32;

    /** A tensor of zeros. */
    public static Tensor zeros(int rows, int columns) {
        long size = (long) rows * stride(columns);
        if (rows < 0 || columns < 1 || size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a tensor of " + rows + " x " + columns + " floats is too large for one array");
        }
        return new Tensor(new float[(int) size], rows, columns);
    }

    /** Floats from one row to the next. */
    public int stride() {
        return stride(columns);
    }

    private static int stride(int columns) {
        return (Math.ceilDiv(columns, PANEL) | 1) * PANEL;
    }

    /** Index of a row's first number. */
    public int offset(int row) {
        return row * stride();
    }

    /** The least multiple of {@link #PANEL} that is not below {@code columns}. */
    public static int roundUp(int columns) {
        return Math.ceilDiv(columns, PANEL) * PANEL;
    }
}
