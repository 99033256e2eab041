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
 * @param share   what it is counted in; null for nothing
 */
public record HeapTensor(float[] data, int rows, int columns, MemoryAccount.Share share) implements Tensor {

    /** A tensor that is not counted. */
    public HeapTensor(float[] data, int rows, int columns) {
        this(data, rows, columns, null);
    }

    /** A tensor of zeros that is not counted. */
    public static HeapTensor zeros(int rows, int columns) {
        return new HeapTensor(new float[size(rows, columns)], rows, columns);
    }

    /**
     * A tensor of zeros.
     *
     * @throws org.vecformer.engine.MemoryLimitException if it does not fit
     */
    public static HeapTensor zeros(int rows, int columns, MemoryAccount.Share share) {
        int size = size(rows, columns);
        share.take((long) size * Float.BYTES);
        return new HeapTensor(new float[size], rows, columns, share);
    }

    private static int size(int rows, int columns) {
        long size = (long) rows * stride(columns);
        if (rows < 0 || columns < 1 || size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a tensor of " + rows + " x " + columns + " floats is too large for one array");
        }
        return (int) size;
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

    /** Is not counted any more; the garbage collector frees it. To be called once. */
    @Override
    public void close() {
        if (share != null) {
            share.add(-(long) data.length * Float.BYTES);
        }
    }
}
