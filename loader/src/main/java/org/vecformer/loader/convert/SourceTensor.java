package org.vecformer.loader.convert;

import java.util.List;
import java.util.stream.Collectors;
import org.vecformer.loader.DType;

/**
 * A tensor of a checkpoint that is read.
 *
 * @param name its name there
 * @param dtype the type of its elements
 * @param shape its dimensions, outermost first
 * @param byteSize the number of its bytes, which its source has checked to be there
 */
record SourceTensor(String name, DType dtype, List<Long> shape, long byteSize) {
    SourceTensor {
        shape = List.copyOf(shape);
    }

    long elements() {
        return byteSize * Byte.SIZE / dtype.bits();
    }

    String describe() {
        return dtype + " [" + shape.stream().map(String::valueOf).collect(Collectors.joining(", ")) + "]";
    }
}
