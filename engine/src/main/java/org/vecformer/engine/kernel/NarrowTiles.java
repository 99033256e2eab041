package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.kernel.Lanes.HALF_BITS;
import static org.vecformer.engine.kernel.Lanes.HALF_SCALE;
import static org.vecformer.engine.kernel.Lanes.HIGH_HALF;
import static org.vecformer.engine.kernel.Lanes.INT;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;

/**
 * A few rows times a matrix of 16-bit weights, which are widened in registers: a register tile of 1, 2 or 4 rows. Word j
 * of a panel's row holds its columns j and j + 16, so that a vector of words is two vectors of columns.
 */
final class NarrowTiles {

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int ROW_BYTES = PANEL * Short.BYTES;
    private static final int WORDS = PANEL / 2;

    private NarrowTiles() {
    }

    /** {@link CpuKernels#narrowTile}. */
    static void multiply(float[] a, int a0, int aStride, int rows, PackedMatrix w, int panel, float[] c, int c0,
            int cStride) {
        int k = w.inputs();
        MemorySegment b = w.data();
        boolean bfloat = w.type() == WeightType.BF16;
        for (int row = 0; row < rows;) {
            int left = rows - row;
            int taken = left >= 4 ? 4 : left >= 2 ? 2 : 1;
            int ar = a0 + row * aStride;
            for (int j = 0; j < WORDS; j += COUNT) {
                long b0 = panel * w.panelBytes() + (long) j * Integer.BYTES;
                int cr = c0 + row * cStride + j;
                if (bfloat) {
                    switch (taken) {
                        case 4 -> bfloat4(a, ar, aStride, k, b, b0, c, cr, cStride);
                        case 2 -> bfloat2(a, ar, aStride, k, b, b0, c, cr, cStride);
                        default -> bfloat1(a, ar, k, b, b0, c, cr);
                    }
                } else {
                    switch (taken) {
                        case 4 -> half4(a, ar, aStride, k, b, b0, c, cr, cStride);
                        case 2 -> half2(a, ar, aStride, k, b, b0, c, cr, cStride);
                        default -> half1(a, ar, k, b, b0, c, cr);
                    }
                }
            }
            row += taken;
        }
    }

    private static void bfloat4(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride) {
        int a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        FloatVector s1 = FloatVector.zero(FLOAT), t1 = FloatVector.zero(FLOAT);
        FloatVector s2 = FloatVector.zero(FLOAT), t2 = FloatVector.zero(FLOAT);
        FloatVector s3 = FloatVector.zero(FLOAT), t3 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = lowBfloats(words), v = highBfloats(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = FloatVector.broadcast(FLOAT, a[a1 + i]);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
            FloatVector x2 = FloatVector.broadcast(FLOAT, a[a2 + i]);
            s2 = x2.fma(u, s2);
            t2 = x2.fma(v, t2);
            FloatVector x3 = FloatVector.broadcast(FLOAT, a[a3 + i]);
            s3 = x3.fma(u, s3);
            t3 = x3.fma(v, t3);
        }
        int c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + WORDS);
        s2.intoArray(c, c2);
        t2.intoArray(c, c2 + WORDS);
        s3.intoArray(c, c3);
        t3.intoArray(c, c3 + WORDS);
    }

    private static void bfloat2(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride) {
        int a1 = a0 + aStride;
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        FloatVector s1 = FloatVector.zero(FLOAT), t1 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = lowBfloats(words), v = highBfloats(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = FloatVector.broadcast(FLOAT, a[a1 + i]);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
        }
        int c1 = c0 + cStride;
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + WORDS);
    }

    private static void bfloat1(float[] a, int a0, int k, MemorySegment b, long b0, float[] c, int c0) {
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = lowBfloats(words), v = highBfloats(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
    }

    private static void half4(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride) {
        int a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        FloatVector s1 = FloatVector.zero(FLOAT), t1 = FloatVector.zero(FLOAT);
        FloatVector s2 = FloatVector.zero(FLOAT), t2 = FloatVector.zero(FLOAT);
        FloatVector s3 = FloatVector.zero(FLOAT), t3 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = highHalves(words.lanewise(VectorOperators.LSHL, 16)), v = highHalves(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = FloatVector.broadcast(FLOAT, a[a1 + i]);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
            FloatVector x2 = FloatVector.broadcast(FLOAT, a[a2 + i]);
            s2 = x2.fma(u, s2);
            t2 = x2.fma(v, t2);
            FloatVector x3 = FloatVector.broadcast(FLOAT, a[a3 + i]);
            s3 = x3.fma(u, s3);
            t3 = x3.fma(v, t3);
        }
        int c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + WORDS);
        s2.intoArray(c, c2);
        t2.intoArray(c, c2 + WORDS);
        s3.intoArray(c, c3);
        t3.intoArray(c, c3 + WORDS);
    }

    private static void half2(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride) {
        int a1 = a0 + aStride;
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        FloatVector s1 = FloatVector.zero(FLOAT), t1 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = highHalves(words.lanewise(VectorOperators.LSHL, 16)), v = highHalves(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = FloatVector.broadcast(FLOAT, a[a1 + i]);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
        }
        int c1 = c0 + cStride;
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + WORDS);
    }

    private static void half1(float[] a, int a0, int k, MemorySegment b, long b0, float[] c, int c0) {
        FloatVector s0 = FloatVector.zero(FLOAT), t0 = FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            IntVector words = IntVector.fromMemorySegment(INT, b, b0 + (long) i * ROW_BYTES, ORDER);
            FloatVector u = highHalves(words.lanewise(VectorOperators.LSHL, 16)), v = highHalves(words);
            FloatVector x0 = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + WORDS);
    }

    /** The columns in the low halves of bfloat16 words. */
    static FloatVector lowBfloats(IntVector words) {
        return words.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** The columns in their high halves. */
    static FloatVector highBfloats(IntVector words) {
        return words.and(HIGH_HALF).reinterpretAsFloats();
    }

    /**
     * The binary16 numbers in the high halves, which are finite. Shifted right by 3, exponent and fraction are where a
     * float has them, with the exponent 112 too small: a product with 2^112 mends that, exactly, for subnormals too.
     * The shift has copied the sign, and the mask leaves one copy.
     */
    static FloatVector highHalves(IntVector words) {
        return words.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF_SCALE);
    }
}
