package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;
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
    /**
     * Rows that meet a panel first. More would keep the loads from running ahead of the multiply-adds, while the panel
     * comes from memory; the others find it in the second-level cache.
     */
    private static final int FIRST_ROWS = 2;
    /** Panels that a row of narrow weights may take at once. */
    private static final int PANELS_TOGETHER = 4;

    private final WorkerPool pool;
    private final Arena arena;
    private final MemorySegment[] widened;
    private CpuKernels kernels;
    private Tensor x;
    private int rows;
    private PackedMatrix w;
    private PackedVector bias;
    private Activation activation;
    private Tensor residual;
    private Tensor out;

    /** @param arena the session's: scratch memory goes with it */
    MatrixProduct(WorkerPool pool, Arena arena) {
        this.pool = pool;
        this.arena = arena;
        widened = new MemorySegment[pool.threads()];
    }

    /** {@link Ops#matmul}, its arguments checked. */
    void run(CpuKernels kernels, Tensor x, int rows, PackedMatrix w, PackedVector bias, Activation activation,
            Tensor residual, Tensor out) {
        this.kernels = kernels;
        this.x = x;
        this.rows = rows;
        this.w = w;
        this.bias = bias;
        this.activation = activation;
        this.residual = residual;
        this.out = out;
        // The items are panels of W: each is read from memory once, by one thread, and used for all rows.
        pool.run(this, rows == 0 ? 0 : w.panels(), CpuOps.grain((long) rows * w.inputs() * PANEL));
    }

    @Override
    public void run(int from, int to, int worker) {
        if (w.type() == WeightType.F32) {
            floats(from, to);
        } else if (rows <= mostNarrowRows(w.type())) {
            narrow(from, to);
        } else {
            widened(from, to, worker);
        }
    }

    private void floats(int from, int to) {
        int first = rows > FIRST_ROWS ? FIRST_ROWS : rows;
        for (int panel = from; panel < to; panel++) {
            long b0 = panel * w.panelBytes();
            tile(0, first, w.data(), b0, panel);
            if (rows > first) {
                tile(first, rows - first, w.data(), b0, panel);
            }
            finish(panel);
        }
    }

    private void narrow(int from, int to) {
        for (int panel = from; panel < to; panel += PANELS_TOGETHER) {
            int panels = Math.min(PANELS_TOGETHER, to - panel);
            kernels.narrowTile(x.data(), 0, x.stride(), rows, w, panel, panels, out.data(), panel * PANEL,
                    out.stride());
            for (int p = panel; p < panel + panels; p++) {
                finish(p);
            }
        }
    }

    private void widened(int from, int to, int worker) {
        MemorySegment wide = widened(worker, (long) w.inputs() * PANEL_BYTES);
        for (int panel = from; panel < to; panel++) {
            kernels.widen(w, panel, wide);
            tile(0, rows, wide, 0, panel);
            finish(panel);
        }
    }

    private void tile(int row, int count, MemorySegment b, long b0, int panel) {
        kernels.tile(x.data(), x.offset(row), x.stride(), count, w.inputs(), b, b0, out.data(),
                out.offset(row) + panel * PANEL, out.stride(), false);
    }

    private void finish(int panel) {
        int column = panel * PANEL;
        kernels.finish(out.data(), column, out.stride(), rows, bias == null ? null : bias.data(),
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
