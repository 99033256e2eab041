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
        for (int panel = from; panel < to; panel++) {
            int column = panel * PANEL;
            if (w.type() == WeightType.F32) {
                tile(w.data(), panel * w.panelBytes(), column);
            } else if (rows <= mostNarrowRows(w.type())) {
                kernels.narrowTile(x.data(), 0, x.stride(), rows, w, panel, out.data(), column, out.stride());
            } else {
                MemorySegment wide = widened(worker, (long) w.inputs() * PANEL_BYTES);
                kernels.widen(w, panel, wide);
                tile(wide, 0, column);
            }
            kernels.finish(out.data(), column, out.stride(), rows, bias == null ? null : bias.data(),
                    (long) column * Float.BYTES, activation, residual == null ? null : residual.data());
        }
    }

    private void tile(MemorySegment b, long b0, int column) {
        kernels.tile(x.data(), 0, x.stride(), rows, w.inputs(), b, b0, out.data(), column, out.stride(), false);
    }

    /**
     * Up to so many rows widening in registers, again for every few of them, is faster than widening a panel once: with
     * bfloat16 it is a shift or a mask, with binary16 a shift, a mask and a product (figures in bench/README.md).
     */
    private static int mostNarrowRows(WeightType type) {
        return type == WeightType.BF16 ? 32 : 6;
    }

    private MemorySegment widened(int worker, long bytes) {
        if (widened[worker] == null || widened[worker].byteSize() < bytes) {
            widened[worker] = arena.allocate(bytes, PackedMatrix.ALIGNMENT);
        }
        return widened[worker];
    }
}
