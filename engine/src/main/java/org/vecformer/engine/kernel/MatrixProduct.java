package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * out = activation(x W + bias) + residual, cut into panels of W for the {@link WorkerPool}: the loops around the tiles
 * of {@link CpuKernels}.
 */
final class MatrixProduct implements WorkerPool.Task {

    private static final int PANEL = Tensor.PANEL;
    private static final int PANEL_BYTES = PANEL * Float.BYTES;
    /** From so many rows on a float32 panel is brought into the cache before it is used: see {@link #touch}. */
    private static final int TOUCHING_ROWS = 5;
    /** Bytes of x that stay in the second-level cache, beside a panel, while panel after panel is multiplied with them. */
    private static final int BLOCK_BYTES = 512 * 1024;
    /** Rows of x that are worth bringing a panel from further away for. */
    private static final int LEAST_BLOCK_ROWS = 128;
    private static final int CACHE_LINE = 64;
    /** Panels that a row of narrow weights may take at once. */
    private static final int PANELS_TOGETHER = 4;

    private final WorkerPool pool;
    private final Arena arena;
    private final MemorySegment[] widened;
    private CpuKernels kernels;
    private HeapTensor x;
    private int rows;
    private PackedMatrix w;
    private PackedVector bias;
    private Activation activation;
    private HeapTensor residual;
    private HeapTensor out;
    /** Written by all workers, read by nobody. */
    private int touched;

    /** @param arena the session's: scratch memory goes with it */
    MatrixProduct(WorkerPool pool, Arena arena) {
        this.pool = pool;
        this.arena = arena;
        widened = new MemorySegment[pool.threads()];
    }

    /** {@link Ops#matmul}, its arguments checked. */
    void run(CpuKernels kernels, HeapTensor x, int rows, PackedMatrix w, PackedVector bias, Activation activation,
            HeapTensor residual, HeapTensor out) {
        this.kernels = kernels;
        this.x = x;
        this.rows = rows;
        this.w = w;
        this.bias = bias;
        this.activation = activation;
        this.residual = residual;
        this.out = out;
        // The items are panels of W: each is read from memory by one thread and used for many rows.
        pool.run(this, rows == 0 ? 0 : w.panels(), CpuOps.grain((long) rows * w.inputs() * PANEL));
    }

    @Override
    public void run(int from, int to, int worker) {
        if (w.type() != WeightType.F32 && rows <= mostNarrowRows(w.type())) {
            fewRows(from, to);
        } else {
            int block = Math.max(LEAST_BLOCK_ROWS, BLOCK_BYTES / (x.stride() * Float.BYTES));
            for (int row = 0; row < rows; row += block) {
                block(from, to, row, Math.min(block, rows - row), worker);
            }
        }
    }

    /** Rows of narrow weights: widened in registers. */
    private void fewRows(int from, int to) {
        for (int panel = from; panel < to; panel += PANELS_TOGETHER) {
            int panels = Math.min(PANELS_TOGETHER, to - panel);
            kernels.narrowTile(x.data(), 0, x.stride(), rows, w, panel, panels, out.data(), panel * PANEL,
                    out.stride());
            for (int p = panel; p < panel + panels; p++) {
                finish(p, 0, rows);
            }
        }
    }

    private void block(int from, int to, int row, int count, int worker) {
        boolean narrow = w.type() != WeightType.F32;
        MemorySegment b = narrow ? widened(worker, (long) w.inputs() * PANEL_BYTES) : w.data();
        for (int panel = from; panel < to; panel++) {
            long b0 = 0;
            if (narrow) {
                kernels.widen(w, panel, b);
            } else {
                b0 = panel * w.panelBytes();
                if (count >= TOUCHING_ROWS) {
                    touched += touch(b, b0, w.panelBytes());
                }
            }
            kernels.tile(x.data(), x.offset(row), x.stride(), count, w.inputs(), b, b0, out.data(),
                    out.offset(row) + panel * PANEL, out.stride(), false);
            finish(panel, row, count);
        }
    }

    /**
     * Reads memory and does nothing with it but bring it into the second-level cache. Loads that nothing waits for run
     * far ahead of each other; in a tile of several rows multiply-adds wait for them and fill the processor's queues,
     * so that memory is read at half of its bandwidth.
     *
     * @return something to keep, lest the JIT find that nothing was read
     */
    private static int touch(MemorySegment b, long from, long bytes) {
        int sum = 0;
        for (long i = 0; i < bytes; i += CACHE_LINE) {
            sum += b.get(JAVA_INT_UNALIGNED, from + i);
        }
        return sum;
    }

    private void finish(int panel, int row, int count) {
        int column = panel * PANEL;
        kernels.finish(out.data(), out.offset(row) + column, out.stride(), count, bias == null ? null : bias.data(),
                (long) column * Float.BYTES, activation, residual == null ? null : residual.data());
    }

    /**
     * Up to so many rows widening in registers, again for every few of them, is faster than widening a panel once
     * (figures in bench/README.md).
     */
    private static int mostNarrowRows(WeightType type) {
        return switch (type) {
            case BF16 -> 32;
            case F16 -> 6;
            case INT8, INT4 -> 12;
            case F32 -> 0;
        };
    }

    private MemorySegment widened(int worker, long bytes) {
        if (widened[worker] == null || widened[worker].byteSize() < bytes) {
            widened[worker] = arena.allocate(bytes, PackedMatrix.ALIGNMENT);
        }
        return widened[worker];
    }
}
