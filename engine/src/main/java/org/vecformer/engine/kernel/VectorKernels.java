package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.kernel.Lanes.INDEX;
import static org.vecformer.engine.kernel.Lanes.INT;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.Activation;

/**
 * The kernels on the Vector API, for any lane width.
 * <p>
 * Rows of activations have room up to the next multiple of 32 floats, so the last vector of a row may reach past its
 * end: what it reads there is masked out of sums and maxima, what it writes there nobody reads.
 */
final class VectorKernels implements CpuKernels {

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int WORDS = PANEL / 2;

    @Override
    public void tile(float[] a, int a0, int aStride, int rows, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        VectorTiles.multiply(a, a0, aStride, rows, k, b, b0, c, c0, cStride, more);
    }

    @Override
    public void narrowTile(float[] a, int a0, int aStride, int rows, PackedMatrix w, int panel, float[] c, int c0,
            int cStride) {
        NarrowTiles.multiply(a, a0, aStride, rows, w, panel, c, c0, cStride);
    }

    @Override
    public void widen(PackedMatrix w, int panel, MemorySegment out) {
        long from = panel * w.panelBytes();
        long words = (long) w.inputs() * WORDS;
        boolean bfloat = w.type() == WeightType.BF16;
        for (long i = 0; i < words; i += COUNT) {
            IntVector pair = IntVector.fromMemorySegment(INT, w.data(), from + i * Integer.BYTES, ORDER);
            // Word j of row r goes to columns j and j + 16 of that row.
            long to = ((i / WORDS) * PANEL + i % WORDS) * Float.BYTES;
            if (bfloat) {
                NarrowTiles.lowBfloats(pair).intoMemorySegment(out, to, ORDER);
                NarrowTiles.highBfloats(pair).intoMemorySegment(out, to + WORDS * Float.BYTES, ORDER);
            } else {
                NarrowTiles.highHalves(pair.lanewise(VectorOperators.LSHL, 16)).intoMemorySegment(out, to, ORDER);
                NarrowTiles.highHalves(pair).intoMemorySegment(out, to + WORDS * Float.BYTES, ORDER);
            }
        }
    }

    @Override
    public void finish(float[] c, int c0, int cStride, int rows, MemorySegment bias, long bias0, Activation activation,
            float[] residual) {
        for (int r = 0; r < rows; r++) {
            int row = c0 + r * cStride;
            if (bias != null) {
                for (int j = 0; j < PANEL; j += COUNT) {
                    FloatVector y = FloatVector.fromArray(FLOAT, c, row + j);
                    y.add(FloatVector.fromMemorySegment(FLOAT, bias, bias0 + (long) j * Float.BYTES, ORDER))
                            .intoArray(c, row + j);
                }
            }
            if (activation != null) {
                activate(activation, c, row);
            }
            if (residual != null) {
                for (int j = row; j < row + PANEL; j += COUNT) {
                    FloatVector y = FloatVector.fromArray(FLOAT, c, j);
                    y.add(FloatVector.fromArray(FLOAT, residual, j)).intoArray(c, j);
                }
            }
        }
    }

    /** In place over the 32 numbers from {@code row}. */
    private static void activate(Activation activation, float[] c, int row) {
        switch (activation) {
            case GELU -> gelu(c, row);
            case GELU_NEW -> geluNew(c, row);
            case QUICK_GELU -> quickGelu(c, row);
            case RELU -> relu(c, row);
            case SILU -> silu(c, row);
            case TANH -> tanh(c, row);
        }
    }

    private static void gelu(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.gelu(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    private static void geluNew(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.geluNew(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    private static void quickGelu(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.quickGelu(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    private static void relu(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.relu(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    private static void silu(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.silu(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    private static void tanh(float[] c, int row) {
        for (int j = row; j < row + PANEL; j += COUNT) {
            VectorMath.tanh(FloatVector.fromArray(FLOAT, c, j)).intoArray(c, j);
        }
    }

    @Override
    public void layerNorm(float[] x, int x0, int n, MemorySegment gain, MemorySegment bias, float epsilon, float[] out,
            int out0) {
        float mean = VectorSums.of(x, x0, n) / n;
        float deviation = LayerNorms.reciprocalDeviation(VectorSums.ofSquaredDifferences(x, x0, n, mean) / n, epsilon);
        for (int i = 0; i < n; i += COUNT) {
            FloatVector g = FloatVector.fromMemorySegment(FLOAT, gain, (long) i * Float.BYTES, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(FLOAT, bias, (long) i * Float.BYTES, ORDER);
            FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean).mul(deviation).fma(g, b).intoArray(out, out0 + i);
        }
    }

    @Override
    public float softmaxNumerators(float[] x, int x0, int n, float scale) {
        FloatVector most = FloatVector.broadcast(FLOAT, Float.NEGATIVE_INFINITY);
        int last = 0;
        for (; last + COUNT < n; last += COUNT) {
            FloatVector scaled = FloatVector.fromArray(FLOAT, x, x0 + last).mul(scale);
            scaled.intoArray(x, x0 + last);
            most = most.max(scaled);
        }
        // Past the end: a score of -infinity never is the maximum and has the numerator 0.
        FloatVector end = FloatVector.fromArray(FLOAT, x, x0 + last).mul(scale).blend(Float.NEGATIVE_INFINITY,
                INDEX.compare(VectorOperators.GE, (float) (n - last)));
        end.intoArray(x, x0 + last);
        most = most.max(end);
        float max = most.reduceLanes(VectorOperators.MAX);
        for (int i = 0; i < n; i += COUNT) {
            VectorMath.exp(FloatVector.fromArray(FLOAT, x, x0 + i).sub(max)).intoArray(x, x0 + i);
        }
        return VectorSums.of(x, x0, n);
    }
}
