package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.vecformer.engine.WeightType.BLOCK;
import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.kernel.Lanes.INDEX;
import static org.vecformer.engine.kernel.Lanes.INT;
import static org.vecformer.engine.kernel.Widening.*;
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
    private static final int STRIP = 2 * COUNT;
    /** With 32 registers 8 rows of two vectors keep 16 chains going; with 16 registers 6 rows are what fits. */
    private static final int MOST_ROWS = COUNT == 16 ? 8 : 6;
    private static final int WORDS = PANEL / 2;
    private static final int HALF_BYTES = WORDS * Integer.BYTES;
    private static final int ROW_BYTES = PANEL * Float.BYTES;

    @Override
    public void tile(float[] a, int a0, int aStride, int rows, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride, boolean more) {
        for (int row = 0; row < rows;) {
            int left = Math.min(rows - row, MOST_ROWS);
            int taken = left == 7 ? 6 : left == 5 ? 4 : left == 3 ? 2 : left;
            int ar = a0 + row * aStride;
            for (int column = 0; column < PANEL; column += STRIP) {
                int cr = c0 + row * cStride + column;
                long bc = b0 + (long) column * Float.BYTES;
                switch (taken) {
                    case 8 -> FloatTiles.rows8(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 6 -> FloatTiles.rows6(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 4 -> FloatTiles.rows4(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 2 -> FloatTiles.rows2(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    default -> FloatTiles.rows1(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                }
            }
            row += taken;
        }
    }

    @Override
    public void twoTiles(float[] a, int a0, int k, MemorySegment b, long b0, MemorySegment d, long d0, float[] c,
            int c0, boolean more) {
        AttentionTiles.multiply(a, a0, k, b, b0, d, d0, c, c0, more);
    }

    @Override
    public void narrowTile(float[] a, int a0, int aStride, int rows, PackedMatrix w, int panel, int panels, float[] c,
            int c0, int cStride) {
        int together = panelsTogether(w.type());
        for (int p = 0; p < panels;) {
            boolean several = rows == 1 && together > 1 && panels - p >= together;
            for (int row = 0; row < rows;) {
                int taken = rows - row >= 4 ? 4 : rows - row >= 2 ? 2 : 1;
                for (int j = 0; j < WORDS; j += COUNT) {
                    narrowTile(several ? 0 : taken, a, a0 + row * aStride, aStride, w,
                            (panel + p) * w.panelBytes() + (long) j * Integer.BYTES, c,
                            c0 + row * cStride + p * PANEL + j,
                            cStride);
                }
                row += taken;
            }
            p += several ? together : 1;
        }
    }

    /**
     * Panels that one row takes at once: memory answers several streams faster than one (bench/README.md). Types that
     * take more to widen have fewer: C2 stops inlining in a loop of too many operations, with 128 bits at once.
     */
    private static int panelsTogether(WeightType type) {
        return switch (type) {
            case BF16 -> 4;
            case F16 -> 2;
            case INT8, INT4 -> COUNT >= 8 ? 2 : 1;
            case F32 -> 1;
        };
    }

    /** @param rows 0 for one row of several panels */
    private static void narrowTile(int rows, float[] a, int a0, int aStride, PackedMatrix w, long b0, float[] c, int c0,
            int cStride) {
        int k = w.inputs();
        MemorySegment b = w.data();
        long next = w.panelBytes();
        switch (w.type()) {
            case BF16 -> {
                switch (rows) {
                    case 0 -> NarrowTiles.bfloatRows1Panels4(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 1 -> NarrowTiles.bfloatRows1(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 2 -> NarrowTiles.bfloatRows2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    default -> NarrowTiles.bfloatRows4(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                }
            }
            case F16 -> {
                switch (rows) {
                    case 0 -> NarrowTiles.halfRows1Panels2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 1 -> NarrowTiles.halfRows1(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 2 -> NarrowTiles.halfRows2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    default -> NarrowTiles.halfRows4(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                }
            }
            case INT8 -> {
                switch (rows) {
                    case 0 -> NarrowTiles.int8Rows1Panels2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 1 -> NarrowTiles.int8Rows1(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 2 -> NarrowTiles.int8Rows2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    default -> NarrowTiles.int8Rows4(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                }
            }
            case INT4 -> {
                switch (rows) {
                    case 0 -> NarrowTiles.int4Rows1Panels2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 1 -> NarrowTiles.int4Rows1(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    case 2 -> NarrowTiles.int4Rows2(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                    default -> NarrowTiles.int4Rows4(a, a0, aStride, k, b, b0, next, c, c0, cStride);
                }
            }
            case F32 -> throw new IllegalArgumentException("a float32 matrix is not narrow");
        }
    }

    @Override
    public void widen(PackedMatrix w, int panel, MemorySegment out) {
        long from = panel * w.panelBytes();
        for (int j = 0; j < WORDS; j += COUNT) {
            long at = from + (long) j * Integer.BYTES;
            long to = (long) j * Float.BYTES;
            switch (w.type()) {
                case BF16 -> widenBfloats(w.data(), at, w.inputs(), out, to);
                case F16 -> widenHalves(w, at, out, to);
                case INT8 -> widenInt8(w, at, out, to);
                case INT4 -> widenInt4(w, at, out, to);
                case F32 -> throw new IllegalArgumentException("a float32 matrix is not narrow");
            }
        }
    }

    @Override
    public void widenBfloats(MemorySegment b, long b0, int rows, MemorySegment out) {
        for (int j = 0; j < WORDS; j += COUNT) {
            widenBfloats(b, b0 + (long) j * Integer.BYTES, rows, out, (long) j * Float.BYTES);
        }
    }

    private static void widenBfloats(MemorySegment b, long at, int rows, MemorySegment out, long to) {
        for (int i = 0; i < rows; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, at + (long) i * HALF_BYTES, ORDER);
            long row = to + (long) i * ROW_BYTES;
            words.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoMemorySegment(out, row, ORDER);
            words.and(HIGH_HALF).reinterpretAsFloats().intoMemorySegment(out, row + HALF_BYTES, ORDER);
        }
    }

    private static void widenHalves(PackedMatrix w, long at, MemorySegment out, long to) {
        for (int i = 0; i < w.inputs(); i++) {
            IntVector words = IntVector.fromMemorySegment(INT, w.data(), at + (long) i * HALF_BYTES, ORDER);
            long row = to + (long) i * ROW_BYTES;
            words.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(HALF_BITS)
                    .reinterpretAsFloats().mul(HALF_SCALE).intoMemorySegment(out, row, ORDER);
            words.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF_SCALE)
                    .intoMemorySegment(out, row + HALF_BYTES, ORDER);
        }
    }

    private static void widenInt8(PackedMatrix w, long at, MemorySegment out, long to) {
        MemorySegment b = w.data();
        for (int i = 0; i < w.inputs(); i += BLOCK) {
            IntVector scales = IntVector.fromMemorySegment(INT, b, at, ORDER);
            FloatVector g = scales.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector h = scales.and(HIGH_HALF).reinterpretAsFloats();
            FloatVector y = g.mul(INT8_OFFSET), z = h.mul(INT8_OFFSET);
            at += HALF_BYTES;
            for (int j = 0; j < BLOCK; j += 4, at += ROW_BYTES) {
                IntVector u = IntVector.fromMemorySegment(INT, b, at, ORDER);
                IntVector v = IntVector.fromMemorySegment(INT, b, at + HALF_BYTES, ORDER);
                for (int e = 0; e < 4; e++, to += ROW_BYTES) {
                    u.and(BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(g, y).intoMemorySegment(out, to, ORDER);
                    v.and(BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(h, z).intoMemorySegment(out, to + HALF_BYTES,
                            ORDER);
                    u = u.lanewise(VectorOperators.ROR, 8);
                    v = v.lanewise(VectorOperators.ROR, 8);
                }
            }
        }
    }

    private static void widenInt4(PackedMatrix w, long at, MemorySegment out, long to) {
        MemorySegment b = w.data();
        for (int i = 0; i < w.inputs(); i += BLOCK) {
            IntVector scales = IntVector.fromMemorySegment(INT, b, at, ORDER);
            FloatVector g = scales.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector h = scales.and(HIGH_HALF).reinterpretAsFloats();
            FloatVector y = g.mul(INT4_OFFSET), z = h.mul(INT4_OFFSET);
            at += HALF_BYTES;
            for (int j = 0; j < BLOCK; j += 8, at += ROW_BYTES) {
                IntVector u = IntVector.fromMemorySegment(INT, b, at, ORDER);
                IntVector v = IntVector.fromMemorySegment(INT, b, at + HALF_BYTES, ORDER);
                for (int e = 0; e < 8; e++, to += ROW_BYTES) {
                    u.and(HALF_BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(g, y).intoMemorySegment(out, to, ORDER);
                    v.and(HALF_BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(h, z).intoMemorySegment(out,
                            to + HALF_BYTES, ORDER);
                    u = u.lanewise(VectorOperators.ROR, 4);
                    v = v.lanewise(VectorOperators.ROR, 4);
                }
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
        float max = VectorSums.max(x, x0, n);
        // Past the end may lie anything; an exponential below the normal numbers would take 150 cycles.
        int last = (n - 1) / COUNT * COUNT;
        FloatVector.fromArray(FLOAT, x, x0 + last).blend(max, INDEX.compare(VectorOperators.GE, (float) (n - last)))
                .intoArray(x, x0 + last);
        VectorMath.exp(x, x0, n, scale, max * scale);
        return VectorSums.of(x, x0, n);
    }

    @Override
    public void divide(float[] x, int x0, int n, float divisor, float[] out, int out0) {
        int i = 0;
        for (; i + COUNT <= n; i += COUNT) {
            FloatVector.fromArray(FLOAT, x, x0 + i).div(divisor).intoArray(out, out0 + i);
        }
        for (; i < n; i++) {
            out[out0 + i] = x[x0 + i] / divisor;
        }
    }

    @Override
    public void copy(float[] x, int x0, int n, MemorySegment out, long out0) {
        int i = 0;
        for (; i + COUNT <= n; i += COUNT) {
            FloatVector.fromArray(FLOAT, x, x0 + i).intoMemorySegment(out, out0 + (long) i * Float.BYTES, ORDER);
        }
        for (; i < n; i++) {
            out.set(JAVA_FLOAT_UNALIGNED, out0 + (long) i * Float.BYTES, x[x0 + i]);
        }
    }
}
