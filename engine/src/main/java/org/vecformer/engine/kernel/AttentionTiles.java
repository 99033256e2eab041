package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.BYTES;
import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of attention with a single query: one row by two panels, which are two pages of keys or two panels
 * of the values' columns. A panel alone is two chains of multiply-adds, which take 4 cycles a step; two panels take
 * no longer.
 */
final class AttentionTiles {

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int ROW_BYTES = PANEL * Float.BYTES;
    private static final int STRIP = 2 * COUNT;

    private AttentionTiles() {
    }

    /** {@link CpuKernels#twoTiles}. */
    static void multiply(float[] a, int a0, int k, MemorySegment b, long b0, MemorySegment d, long d0, float[] c,
            int c0, boolean more) {
        for (int column = 0; column < PANEL; column += STRIP) {
            long skipped = (long) column * Float.BYTES;
            strip(a, a0, k, b, b0 + skipped, d, d0 + skipped, c, c0 + column, more);
        }
    }

    private static void strip(float[] a, int a0, int k, MemorySegment b, long b0, MemorySegment d, long d0, float[] c,
            int c0, boolean more) {
        FloatVector s0 = more ? FloatVector.fromArray(FLOAT, c, c0) : FloatVector.zero(FLOAT);
        FloatVector s1 = more ? FloatVector.fromArray(FLOAT, c, c0 + COUNT) : FloatVector.zero(FLOAT);
        FloatVector t0 = more ? FloatVector.fromArray(FLOAT, c, c0 + PANEL) : FloatVector.zero(FLOAT);
        FloatVector t1 = more ? FloatVector.fromArray(FLOAT, c, c0 + PANEL + COUNT) : FloatVector.zero(FLOAT);
        for (int i = 0; i < k; i++) {
            long row = (long) i * ROW_BYTES;
            FloatVector x = FloatVector.broadcast(FLOAT, a[a0 + i]);
            s0 = x.fma(FloatVector.fromMemorySegment(FLOAT, b, b0 + row, ORDER), s0);
            s1 = x.fma(FloatVector.fromMemorySegment(FLOAT, b, b0 + row + BYTES, ORDER), s1);
            t0 = x.fma(FloatVector.fromMemorySegment(FLOAT, d, d0 + row, ORDER), t0);
            t1 = x.fma(FloatVector.fromMemorySegment(FLOAT, d, d0 + row + BYTES, ORDER), t1);
        }
        s0.intoArray(c, c0);
        s1.intoArray(c, c0 + COUNT);
        t0.intoArray(c, c0 + PANEL);
        t1.intoArray(c, c0 + PANEL + COUNT);
    }
}
