package org.vecformer.engine.tensor;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;

/**
 * A weight matrix W in the layout that the CPU kernels read front to back: y[n] = sum over k of x[k] * W[k][n].
 * <p>
 * The outputs n are cut into panels of {@link Tensor#PANEL} = 32; a panel holds its 32 numbers of k = 0, then those of
 * k = 1, and so on:
 *
 * <pre>
 * F32        panel p, input k, column c at float p * inputs * 32 + k * 32 + c
 * F16, BF16  the same row of 32 as 16 words of 32 bits: word j has column j in its low half and column j + 16 in its
 *            high half, so that both widen to float32 by shifts and masks, without moving anything between lanes
 * </pre>
 *
 * Columns past {@code outputs} are zero; numbers kept as F16 are finite. One layout serves every lane width and the
 * scalar kernels, matrix times vector and matrix times matrix, and the gather of an embedding row from a tied matrix.
 *
 * @param data    off-heap memory of {@link #byteSize()} bytes, aligned to 64
 * @param type    how a number is kept
 * @param inputs  K, the length of x
 * @param outputs N, the length of y
 */
public record PackedMatrix(MemorySegment data, WeightType type, int inputs, int outputs) {

    /** Bytes that panels are aligned to: a cache line, the widest vector. */
    public static final long ALIGNMENT = 64;

    /** How many panels there are. */
    public int panels() {
        return Math.ceilDiv(outputs, Tensor.PANEL);
    }

    /** Bytes of one panel. */
    public long panelBytes() {
        return (long) inputs * Tensor.PANEL * type.bytes();
    }

    /** Bytes of the whole matrix as packed. */
    public long byteSize() {
        return panels() * panelBytes();
    }

    /** Bytes that a matrix of this shape takes when packed. */
    public static long byteSize(WeightType type, int inputs, int outputs) {
        return (long) inputs * Tensor.roundUp(outputs) * type.bytes();
    }
}
