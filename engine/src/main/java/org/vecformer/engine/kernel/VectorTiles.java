package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.BYTES;
import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times matrix: a register tile of 1 to 8 rows by two vectors of columns.
 * <p>
 * For each i a tile loads two vectors of the panel's row i, broadcasts one activation per row, and does two
 * multiply-adds with it. With 32 registers (512 bits) 8 rows keep 16 chains going, twice what the latency of two
 * multiply-add units needs; with 16 registers (256 bits and less) 6 rows are what fits. A panel wider than two vectors
 * is done in several strips of columns. The rows are written out because a loop over an array of vectors would put them
 * into memory.
 */
final class VectorTiles {

    private static final int ROW_BYTES = PANEL * Float.BYTES;
    private static final int STRIP = 2 * COUNT;
    private static final int MOST_ROWS = COUNT == 16 ? 8 : 6;

    private VectorTiles() {
    }

    /** {@link CpuKernels#tile}. */
    static void multiply(float[] a, int a0, int aStride, int rows, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        for (int row = 0; row < rows;) {
            int left = Math.min(rows - row, MOST_ROWS);
            int taken = left == 7 ? 6 : left == 5 ? 4 : left == 3 ? 2 : left;
            int ar = a0 + row * aStride;
            for (int column = 0; column < PANEL; column += STRIP) {
                int cr = c0 + row * cStride + column;
                long bc = b0 + (long) column * Float.BYTES;
                switch (taken) {
                    case 8 -> tile8(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 6 -> tile6(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 4 -> tile4(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    case 2 -> tile2(a, ar, aStride, k, b, bc, c, cr, cStride, more);
                    default -> tile1(a, ar, k, b, bc, c, cr, more);
                }
            }
            row += taken;
        }
    }

    private static FloatVector load(MemorySegment b, long at) {
        return FloatVector.fromMemorySegment(FLOAT, b, at, ByteOrder.nativeOrder());
    }

    private static FloatVector start(float[] c, int at, boolean more) {
        return more ? FloatVector.fromArray(FLOAT, c, at) : FloatVector.zero(FLOAT);
    }

    private static FloatVector broadcast(float[] a, int at) {
        return FloatVector.broadcast(FLOAT, a[at]);
    }

    private static void tile8(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        int a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride, a4 = a3 + aStride, a5 = a4 + aStride,
                a6 = a5 + aStride, a7 = a6 + aStride;
        int c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride, c4 = c3 + cStride, c5 = c4 + cStride,
                c6 = c5 + cStride, c7 = c6 + cStride;
        FloatVector s0 = start(c, c0, more), t0 = start(c, c0 + COUNT, more);
        FloatVector s1 = start(c, c1, more), t1 = start(c, c1 + COUNT, more);
        FloatVector s2 = start(c, c2, more), t2 = start(c, c2 + COUNT, more);
        FloatVector s3 = start(c, c3, more), t3 = start(c, c3 + COUNT, more);
        FloatVector s4 = start(c, c4, more), t4 = start(c, c4 + COUNT, more);
        FloatVector s5 = start(c, c5, more), t5 = start(c, c5 + COUNT, more);
        FloatVector s6 = start(c, c6, more), t6 = start(c, c6 + COUNT, more);
        FloatVector s7 = start(c, c7, more), t7 = start(c, c7 + COUNT, more);
        for (int i = 0; i < k; i++) {
            long row = b0 + (long) i * ROW_BYTES;
            FloatVector u = load(b, row), v = load(b, row + BYTES);
            FloatVector x0 = broadcast(a, a0 + i);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = broadcast(a, a1 + i);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
            FloatVector x2 = broadcast(a, a2 + i);
            s2 = x2.fma(u, s2);
            t2 = x2.fma(v, t2);
            FloatVector x3 = broadcast(a, a3 + i);
            s3 = x3.fma(u, s3);
            t3 = x3.fma(v, t3);
            FloatVector x4 = broadcast(a, a4 + i);
            s4 = x4.fma(u, s4);
            t4 = x4.fma(v, t4);
            FloatVector x5 = broadcast(a, a5 + i);
            s5 = x5.fma(u, s5);
            t5 = x5.fma(v, t5);
            FloatVector x6 = broadcast(a, a6 + i);
            s6 = x6.fma(u, s6);
            t6 = x6.fma(v, t6);
            FloatVector x7 = broadcast(a, a7 + i);
            s7 = x7.fma(u, s7);
            t7 = x7.fma(v, t7);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + COUNT);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + COUNT);
        s2.intoArray(c, c2);
        t2.intoArray(c, c2 + COUNT);
        s3.intoArray(c, c3);
        t3.intoArray(c, c3 + COUNT);
        s4.intoArray(c, c4);
        t4.intoArray(c, c4 + COUNT);
        s5.intoArray(c, c5);
        t5.intoArray(c, c5 + COUNT);
        s6.intoArray(c, c6);
        t6.intoArray(c, c6 + COUNT);
        s7.intoArray(c, c7);
        t7.intoArray(c, c7 + COUNT);
    }

    private static void tile6(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        int a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride, a4 = a3 + aStride, a5 = a4 + aStride;
        int c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride, c4 = c3 + cStride, c5 = c4 + cStride;
        FloatVector s0 = start(c, c0, more), t0 = start(c, c0 + COUNT, more);
        FloatVector s1 = start(c, c1, more), t1 = start(c, c1 + COUNT, more);
        FloatVector s2 = start(c, c2, more), t2 = start(c, c2 + COUNT, more);
        FloatVector s3 = start(c, c3, more), t3 = start(c, c3 + COUNT, more);
        FloatVector s4 = start(c, c4, more), t4 = start(c, c4 + COUNT, more);
        FloatVector s5 = start(c, c5, more), t5 = start(c, c5 + COUNT, more);
        for (int i = 0; i < k; i++) {
            long row = b0 + (long) i * ROW_BYTES;
            FloatVector u = load(b, row), v = load(b, row + BYTES);
            FloatVector x0 = broadcast(a, a0 + i);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = broadcast(a, a1 + i);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
            FloatVector x2 = broadcast(a, a2 + i);
            s2 = x2.fma(u, s2);
            t2 = x2.fma(v, t2);
            FloatVector x3 = broadcast(a, a3 + i);
            s3 = x3.fma(u, s3);
            t3 = x3.fma(v, t3);
            FloatVector x4 = broadcast(a, a4 + i);
            s4 = x4.fma(u, s4);
            t4 = x4.fma(v, t4);
            FloatVector x5 = broadcast(a, a5 + i);
            s5 = x5.fma(u, s5);
            t5 = x5.fma(v, t5);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + COUNT);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + COUNT);
        s2.intoArray(c, c2);
        t2.intoArray(c, c2 + COUNT);
        s3.intoArray(c, c3);
        t3.intoArray(c, c3 + COUNT);
        s4.intoArray(c, c4);
        t4.intoArray(c, c4 + COUNT);
        s5.intoArray(c, c5);
        t5.intoArray(c, c5 + COUNT);
    }

    private static void tile4(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        int a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
        int c1 = c0 + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        FloatVector s0 = start(c, c0, more), t0 = start(c, c0 + COUNT, more);
        FloatVector s1 = start(c, c1, more), t1 = start(c, c1 + COUNT, more);
        FloatVector s2 = start(c, c2, more), t2 = start(c, c2 + COUNT, more);
        FloatVector s3 = start(c, c3, more), t3 = start(c, c3 + COUNT, more);
        for (int i = 0; i < k; i++) {
            long row = b0 + (long) i * ROW_BYTES;
            FloatVector u = load(b, row), v = load(b, row + BYTES);
            FloatVector x0 = broadcast(a, a0 + i);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = broadcast(a, a1 + i);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
            FloatVector x2 = broadcast(a, a2 + i);
            s2 = x2.fma(u, s2);
            t2 = x2.fma(v, t2);
            FloatVector x3 = broadcast(a, a3 + i);
            s3 = x3.fma(u, s3);
            t3 = x3.fma(v, t3);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + COUNT);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + COUNT);
        s2.intoArray(c, c2);
        t2.intoArray(c, c2 + COUNT);
        s3.intoArray(c, c3);
        t3.intoArray(c, c3 + COUNT);
    }

    private static void tile2(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        int a1 = a0 + aStride;
        int c1 = c0 + cStride;
        FloatVector s0 = start(c, c0, more), t0 = start(c, c0 + COUNT, more);
        FloatVector s1 = start(c, c1, more), t1 = start(c, c1 + COUNT, more);
        for (int i = 0; i < k; i++) {
            long row = b0 + (long) i * ROW_BYTES;
            FloatVector u = load(b, row), v = load(b, row + BYTES);
            FloatVector x0 = broadcast(a, a0 + i);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
            FloatVector x1 = broadcast(a, a1 + i);
            s1 = x1.fma(u, s1);
            t1 = x1.fma(v, t1);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + COUNT);
        s1.intoArray(c, c1);
        t1.intoArray(c, c1 + COUNT);
    }

    private static void tile1(float[] a, int a0, int k, MemorySegment b, long b0, float[] c, int c0, boolean more) {
        FloatVector s0 = start(c, c0, more), t0 = start(c, c0 + COUNT, more);
        for (int i = 0; i < k; i++) {
            long row = b0 + (long) i * ROW_BYTES;
            FloatVector u = load(b, row), v = load(b, row + BYTES);
            FloatVector x0 = broadcast(a, a0 + i);
            s0 = x0.fma(u, s0);
            t0 = x0.fma(v, t0);
        }
        s0.intoArray(c, c0);
        t0.intoArray(c, c0 + COUNT);
    }

}
