package org.vecformer.engine.tensor;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;

/**
 * A weight matrix W in the layout that all kernels read front to back: y[n] = sum over k of x[k] * W[k][n].
 * <p>
 * The outputs n are cut into panels of {@link Tensor#PANEL} = 32; a panel holds its 32 numbers of k = 0, then those of
 * k = 1, and so on:
 *
 * <pre>
 * F32        panel p, input k, column c at float p * inputs * 32 + k * 32 + c
 * F16, BF16  the same row of 32 as 16 words of 32 bits: word j has column j in its low half and column j + 16 in its
 *            high half, so that both widen to float32 by shifts and masks, without moving anything between lanes
 * INT8       blocks of 32 inputs: first the 32 columns' scales as a BF16 row, then 8 rows of 32 words of 32 bits, a row
 *            for four inputs: word c of row i has input 4i + h of column c in its bits from 8h, as 128 + q
 * INT4       blocks of 32 inputs: the scales, then 4 rows of 32 words, a row for eight inputs: word c of row i has input
 *            8i + h of column c in its bits from 4h, as 8 + q
 * </pre>
 *
 * The words of integers are kept rotated left by 8 bits: there the kernels can widen their first number without moving it.
 * <p>
 * A number of a quantized matrix is scale * q, which float32 holds exactly: a bfloat16 has 8 significant bits, q at
 * most 7. Its inputs are a multiple of 32; its scales are below 2^100 in magnitude. Columns past {@code outputs} are
 * zero; numbers kept as F16 are finite. One layout serves every lane width, the scalar kernels and a GPU's (whose 32
 * neighbouring work-items read a row of 32), matrix times vector and matrix times matrix, and the gather of an embedding
 * row from a tied matrix.
 *
 * @param data    off-heap memory of {@link #byteSize()} bytes, aligned to 64
 * @param type    how a number is kept
 * @param inputs  K, the length of x
 * @param outputs N, the length of y
 */
public record PackedMatrix(MemorySegment data, WeightType type, int inputs, int outputs) implements WeightMatrix {

    /** Bytes that panels are aligned to: a cache line, the widest vector. */
    public static final long ALIGNMENT = 64;

    /** How many panels there are. */
    public int panels() {
        return Math.ceilDiv(outputs, Tensor.PANEL);
    }

    /** Bytes of one panel. */
    public long panelBytes() {
        return panelBytes(type, inputs);
    }

    private static long panelBytes(WeightType type, int inputs) {
        return type.quantized()
                ? (long) inputs / WeightType.BLOCK * Tensor.PANEL * type.blockBytes()
                : (long) inputs * type.blockBytes();
    }

    /** Bytes that a matrix of this shape takes when packed. */
    public static long byteSize(WeightType type, int inputs, int outputs) {
        return Math.ceilDiv(outputs, Tensor.PANEL) * panelBytes(type, inputs);
    }
}
