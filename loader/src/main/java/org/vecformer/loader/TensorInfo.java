package org.vecformer.loader;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Where one tensor lies in its file. Elements are little-endian, the last dimension is contiguous.
 *
 * @param name the tensor's name, any text
 * @param dtype the type of its elements
 * @param shape its dimensions, outermost first; empty for a scalar. Each is an unsigned 64-bit number; one above
 *            2^63 - 1 (negative here) can stand only beside a dimension of 0
 * @param byteOffset the first byte, counted from the start of the file
 * @param byteSize the number of bytes
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long byteOffset, long byteSize) {

    /** Checks for null and copies the shape. */
    public TensorInfo {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(dtype, "dtype");
        shape = List.copyOf(shape);
    }

    /** The number of elements; 1 for a scalar. */
    public long elements() {
        if (shape.contains(0L)) {
            return 0;
        }
        long product = 1;
        for (long dimension : shape) {
            product = Math.multiplyExact(product, dimension);
        }
        return product;
    }

    /** The type and shape as messages show them, for example {@code F32 [768, 2304]}. */
    public String describe() {
        return describe(dtype, shape);
    }

    static String describe(DType dtype, List<Long> shape) {
        return dtype + " [" + shape.stream().map(Long::toUnsignedString).collect(Collectors.joining(", ")) + "]";
    }
}
