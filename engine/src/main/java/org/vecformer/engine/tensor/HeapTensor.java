package org.vecformer.engine.tensor;

/**
 * A {@link Tensor} of the CPU's kernels.
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
public record HeapTensor(float[] data, int rows, int columns) implements Tensor {

    /** A tensor of zeros. */
    public static HeapTensor zeros(int rows, int columns) {
        long size = (long) rows * stride(columns);
        if (rows < 0 || columns < 1 || size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a tensor of " + rows + " x " + columns + " floats is too large for one array");
        }
        return new HeapTensor(new float[(int) size], rows, columns);
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

    /** Does nothing: the garbage collector frees it. */
    @Override
    public void close() {
    }
}
