package org.vecformer.engine.tensor;

/**
 * A bias or a layer norm's gain: float32 numbers with zeros up to the next multiple of {@link Tensor#PANEL}, where the
 * model's matrices are.
 */
public interface WeightVector {

    /** How many numbers count. */
    int length();

    /** Bytes that it takes. */
    default long byteSize() {
        return (long) Tensor.roundUp(length()) * Float.BYTES;
    }
}
