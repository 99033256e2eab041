package org.vecformer.engine.kernel.opencl;

import org.vecformer.engine.tensor.MemoryAccount;
import org.vecformer.engine.tensor.Tensor;

/**
 * A {@link Tensor} on a device: rows one behind the other, each beginning at a multiple of {@link #PANEL} floats. What
 * lies between the columns and the next row may be anything.
 *
 * @param data    {@code rows * stride()} floats
 * @param rows    how many rows there is room for
 * @param columns the numbers of a row
 * @param share   what it is counted in; null for nothing
 */
record DeviceTensor(ClBuffer data, int rows, int columns, MemoryAccount.Share share) implements Tensor {

    /** A tensor that is not counted. */
    DeviceTensor(ClBuffer data, int rows, int columns) {
        this(data, rows, columns, null);
    }

    /** Bytes that a tensor of this shape takes. */
    static long byteSize(int rows, int columns) {
        return (long) rows * Tensor.roundUp(columns) * Float.BYTES;
    }

    /** Floats from one row to the next. */
    int stride() {
        return Tensor.roundUp(columns);
    }

    /** Byte at which a row begins. */
    long offset(int row) {
        return (long) row * stride() * Float.BYTES;
    }

    @Override
    public void close() {
        data.close();
        if (share != null) {
            share.add(-byteSize(rows, columns));
        }
    }
}
