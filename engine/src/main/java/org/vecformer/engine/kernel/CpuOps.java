package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * {@link Ops} on the CPU: cuts each op into items for the {@link WorkerPool} and calls the {@link CpuKernels} on them.
 * <p>
 * The tasks are fields that are filled before a section, and scratch memory is per worker and grows to the largest need
 * seen, so that a step in steady state allocates nothing.
 */
final class CpuOps implements Ops {

    /** Multiply-adds that are worth another thread's attention: some microseconds. */
    private static final long GRAIN = 128 * 1024;
    /**
     * Multiply-adds of a session after which faster kernels are worth the cost of compiling them: a second or
     * so of plain Java.
     */
    private static final long WORTH_WARMING = 4_000_000_000L;

    private final CpuBackend backend;
    private final WorkerPool pool;
    private final EmbedTask embedTask = new EmbedTask();
    private final LayerNormTask layerNormTask = new LayerNormTask();
    private final MatrixProduct product;
    private final Attention attention;
    /** Set at the start of each op: the backend changes to faster kernels when they have been compiled. */
    private CpuKernels kernels;
    private long multiplyAdds;

    /**
     * @param arena           the session's: scratch memory goes with it
     * @param longestSequence the most positions that attention will look at
     */
    CpuOps(CpuBackend backend, Arena arena, int longestSequence) {
        this.backend = backend;
        pool = backend.pool();
        product = new MatrixProduct(pool, arena);
        attention = new Attention(pool, arena, longestSequence);
    }

    /** The least number of items worth handing to another thread. */
    static int grain(long multiplyAddsPerItem) {
        return Math.clamp(GRAIN / Math.max(1, multiplyAddsPerItem), 1, Integer.MAX_VALUE);
    }

    @Override
    public void embed(int[] ids, int[] positionIds, int[] types, int rows, PackedMatrix tokens, PackedMatrix positions,
            PackedMatrix typeTable, Tensor out) {
        EmbedTask task = embedTask;
        task.ids = ids;
        task.positionIds = positionIds;
        task.types = types;
        task.tokens = tokens;
        task.positions = positions;
        task.typeTable = typeTable;
        task.out = out;
        // A number of an embedding costs as much as some dozen multiply-adds: it lies in a cache line of its own.
        pool.run(task, rows, grain(64L * out.columns()));
    }

    private final class EmbedTask implements WorkerPool.Task {
        private int[] ids;
        private int[] positionIds;
        private int[] types;
        private PackedMatrix tokens;
        private PackedMatrix positions;
        private PackedMatrix typeTable;
        private Tensor out;

        @Override
        public void run(int from, int to, int worker) {
            for (int r = from; r < to; r++) {
                float[] x = out.data();
                int row = out.offset(r);
                Arrays.fill(x, row, row + out.columns(), 0);
                MatrixPacker.addColumn(tokens, ids[r], x, row);
                MatrixPacker.addColumn(positions, positionIds[r], x, row);
                if (types[r] >= 0) {
                    MatrixPacker.addColumn(typeTable, types[r], x, row);
                }
            }
        }
    }

    @Override
    public void gatherRows(Tensor x, int[] rows, int count, Tensor out) {
        for (int i = 0; i < count; i++) {
            System.arraycopy(x.data(), x.offset(rows[i]), out.data(), out.offset(i), x.columns());
        }
    }

    @Override
    public void layerNorm(Tensor x, int rows, PackedVector gain, PackedVector bias, float epsilon, Tensor out) {
        kernels = backend.kernels();
        LayerNormTask task = layerNormTask;
        task.x = x;
        task.gain = gain;
        task.bias = bias;
        task.epsilon = epsilon;
        task.out = out;
        pool.run(task, rows, grain(4L * x.columns()));
    }

    private final class LayerNormTask implements WorkerPool.Task {
        private Tensor x;
        private Tensor out;
        private PackedVector gain;
        private PackedVector bias;
        private float epsilon;

        @Override
        public void run(int from, int to, int worker) {
            for (int r = from; r < to; r++) {
                kernels.layerNorm(x.data(), x.offset(r), x.columns(), gain.data(), bias.data(), epsilon, out.data(),
                        out.offset(r));
            }
        }
    }

    @Override
    public void matmul(Tensor x, int rows, PackedMatrix w, PackedVector bias, Activation activation, Tensor residual,
            Tensor out) {
        if (x.columns() != w.inputs() || out.columns() != w.outputs() || rows > x.rows() || rows > out.rows()) {
            throw new IllegalArgumentException(
                    "matmul of " + rows + " rows: x is " + x.rows() + " x " + x.columns() + ", W is "
                            + w.inputs() + " x " + w.outputs() + ", out is " + out.rows() + " x " + out.columns());
        }
        if (out.data() == x.data() || residual != null && out.data() == residual.data()) {
            throw new IllegalArgumentException(
                    "matmul needs an output of its own: partial sums would overwrite x or the residual");
        }
        multiplyAdds += (long) rows * w.inputs() * w.outputs();
        if (multiplyAdds > WORTH_WARMING) {
            backend.warmUp(w.type());
        }
        product.run(backend.kernels(), x, rows, w, bias, activation, residual, out);
    }

    @Override
    public void attention(Tensor qkv, PackedBatch batch, KeyValuePages cache, int layer, float scale, Tensor out,
            AttentionTrace trace) {
        attention.run(backend.kernels(), qkv, batch, cache, layer, scale, out, trace);
    }

}
