package org.vecformer.engine.tensor;

import java.lang.foreign.MemorySegment;

/**
 * A bias or a layer norm's gain: float32 numbers in the model's off-heap memory, with zeros up to the next multiple of
 * {@link Tensor#PANEL}.
 *
 * @param data   off-heap floats, aligned to 64 bytes
 * @param length how many numbers count
 */
public record PackedVector(MemorySegment data, int length) implements WeightVector {

    /** Bytes that a vector of this length takes. */
    public static long byteSize(int length) {
        return (long) Tensor.roundUp(length) * Float.BYTES;
    }
}
