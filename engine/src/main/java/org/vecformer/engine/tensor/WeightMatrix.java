package org.vecformer.engine.tensor;

import org.vecformer.engine.WeightType;

/**
 * A weight matrix W of {@code inputs} x {@code outputs}, y[n] = sum over k of x[k] * W[k][n], in the layout of {@link
 * PackedMatrix}: in this process's memory, or in that of the device which alone can compute with it.
 */
public interface WeightMatrix {

    /** How a number is kept. */
    WeightType type();

    /** K, the length of x. */
    int inputs();

    /** N, the length of y. */
    int outputs();

    /** Bytes of the whole matrix as packed. */
    default long byteSize() {
        return PackedMatrix.byteSize(type(), inputs(), outputs());
    }
}
