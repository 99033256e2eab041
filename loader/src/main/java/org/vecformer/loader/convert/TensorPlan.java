package org.vecformer.loader.convert;

import java.util.List;

/**
 * What becomes of a tensor.
 *
 * @param source the tensor that is read
 * @param name its name in the new file
 * @param shape its shape there
 * @param transposed whether rows and columns change places
 */
record TensorPlan(SourceTensor source, String name, List<Long> shape, boolean transposed) {
    TensorPlan {
        shape = List.copyOf(shape);
    }

    /** The tensor as it is. */
    static TensorPlan same(SourceTensor source) {
        return new TensorPlan(source, source.name(), source.shape(), false);
    }
}
