package org.vecformer.engine.kernel;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.Activation;

/**
 * The inner loops of the CPU backend, without threads: what a backend must write. Both implementations give the same
 * bits (see the package documentation).
 * <p>
 * Layouts: {@code float[]} operands are activations with an offset; {@code MemorySegment b} is a panel of {@code k}
 * rows of 32 floats, at byte {@code b0}.
 */
interface CpuKernels {

    /**
     * c[r][0..31] = sum over i of a[r][i] * b[i][0..31], each sum one chain of fused multiply-adds in the order of i.
     *
     * @param rows any number from 1 on
     * @param more whether the chains go on from what {@code c} holds; otherwise they start at zero
     */
    void tile(float[] a, int a0, int aStride, int rows, int k, MemorySegment b, long b0, float[] c, int c0, int cStride,
            boolean more);

    /**
     * The same for one row and two panels: c[0..31] with the panel at {@code b0} of b, c[32..63] with that at
     * {@code d0} of d.
     */
    void twoTiles(float[] a, int a0, int k, MemorySegment b, long b0, MemorySegment d, long d0, float[] c, int c0,
            boolean more);

    /**
     * The same as {@link #tile} with panels of a matrix of a narrower type, widened on the way: for few rows. The
     * chains start at zero.
     *
     * @param panel  the first panel of w; its columns go to {@code c0}, those of the next one behind them
     * @param panels how many
     */
    void narrowTile(float[] a, int a0, int aStride, int rows, PackedMatrix w, int panel, int panels, float[] c, int c0,
            int cStride);

    /** Widens rows of 32 bfloat16 numbers at byte {@code b0} to float32 at {@code out}, byte 0. */
    void widenBfloats(MemorySegment b, long b0, int rows, MemorySegment out);

    /** Widens a panel of a matrix of a narrower type to float32 at {@code out}, byte 0. */
    void widen(PackedMatrix w, int panel, MemorySegment out);

    /**
     * c = activation(c + bias) + residual over rows of 32 columns.
     *
     * @param bias       null for none; read from byte {@code bias0}
     * @param activation null for none
     * @param residual   null for none; same offset and stride as {@code c}
     */
    void finish(float[] c, int c0, int cStride, int rows, MemorySegment bias, long bias0, Activation activation,
            float[] residual);

    /** One row of {@link Ops#layerNorm}. */
    void layerNorm(float[] x, int x0, int n, MemorySegment gain, MemorySegment bias, float epsilon, float[] out,
            int out0);

    /**
     * x = exp(x * scale - max(x) * scale) over n numbers; returns their sum: softmax but for the division. A scale is
     * positive.
     */
    float softmaxNumerators(float[] x, int x0, int n, float scale);

    /** out = x / divisor over n numbers. */
    void divide(float[] x, int x0, int n, float divisor, float[] out, int out0);

    /** Copies n numbers to byte {@code out0} of {@code out}. */
    void copy(float[] x, int x0, int n, MemorySegment out, long out0);
}
