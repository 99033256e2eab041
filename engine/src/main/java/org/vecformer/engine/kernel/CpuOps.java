package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.MemoryAccount;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
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
    /** Of the cache and of scratch memory. */
    private final Arena arena = Arena.ofShared();
    private final MemoryAccount.Share caches;
    private final MemoryAccount.Share scratch;
    private final WorkerPool pool;
    private final EmbedTask embedTask = new EmbedTask();
    private final LayerNormTask layerNormTask = new LayerNormTask();
    private final MatrixProduct product;
    private final Attention attention;
    /** Set at the start of each op: the backend changes to faster kernels when they have been compiled. */
    private CpuKernels kernels;
    private long multiplyAdds;

    /** @param longestSequence the most positions that attention will look at */
    CpuOps(CpuBackend backend, int longestSequence) {
        this.backend = backend;
        caches = backend.memory().open(MemoryAccount.Purpose.CACHES);
        scratch = backend.memory().open(MemoryAccount.Purpose.SCRATCH);
        pool = backend.pool();
        Arena counted = scratch.counting(arena);
        product = new MatrixProduct(pool, counted);
        attention = new Attention(pool, counted, longestSequence);
    }

    /** The least number of items worth handing to another thread. */
    static int grain(long multiplyAddsPerItem) {
        return Math.clamp(GRAIN / Math.max(1, multiplyAddsPerItem), 1, Integer.MAX_VALUE);
    }

    @Override
    public void embed(int[] ids, int[] positionIds, int[] types, int rows, WeightMatrix tokens, WeightMatrix positions,
            WeightMatrix typeTable, Tensor out) {
        EmbedTask task = embedTask;
        task.ids = ids;
        task.positionIds = positionIds;
        task.types = types;
        task.tokens = (PackedMatrix) tokens;
        task.positions = (PackedMatrix) positions;
        task.typeTable = (PackedMatrix) typeTable;
        task.out = (HeapTensor) out;
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
        private HeapTensor out;

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
        HeapTensor from = (HeapTensor) x;
        HeapTensor to = (HeapTensor) out;
        for (int i = 0; i < count; i++) {
            System.arraycopy(from.data(), from.offset(rows[i]), to.data(), to.offset(i), from.columns());
        }
    }

    @Override
    public void read(Tensor x, int row, float[] destination) {
        HeapTensor from = (HeapTensor) x;
        System.arraycopy(from.data(), from.offset(row), destination, 0, from.columns());
    }

    @Override
    public boolean isRemote() {
        return false;
    }

    @Override
    public void argMax(Tensor x, int rows, int[] ids) {
        HeapTensor from = (HeapTensor) x;
        for (int r = 0; r < rows; r++) {
            ids[r] = LogitRows.argMax(from.data(), from.offset(r), from.columns());
        }
    }

    @Override
    public int topK(Tensor x, int row, int k, int[] ids, float[] values) {
        HeapTensor from = (HeapTensor) x;
        return LogitRows.topK(from.data(), from.offset(row), from.columns(), k, ids, values);
    }

    @Override
    public double logSumExp(Tensor x, int row) {
        HeapTensor from = (HeapTensor) x;
        return LogitRows.logSumExp(from.data(), from.offset(row), from.columns());
    }

    @Override
    public void write(float[] source, Tensor x, int row) {
        HeapTensor to = (HeapTensor) x;
        System.arraycopy(source, 0, to.data(), to.offset(row), to.columns());
    }

    /** Does nothing: what was asked for has been computed when an op returns. */
    @Override
    public void await() {
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        return HeapTensor.zeros(rows, columns, scratch);
    }

    @Override
    public KeyValuePages keyValues(int pages, int layers, int heads, int headSize, WeightType type) {
        KeyValuePages cache = new KeyValuePages(arena, pages, layers, heads, headSize, type);
        // Its pages come one by one; that there will be room for all of them is settled now.
        caches.take(pages * cache.pageBytes());
        return cache;
    }

    @Override
    public void layerNorm(Tensor x, int rows, WeightVector gain, WeightVector bias, float epsilon, Tensor out) {
        kernels = backend.kernels();
        LayerNormTask task = layerNormTask;
        task.x = (HeapTensor) x;
        task.gain = (PackedVector) gain;
        task.bias = (PackedVector) bias;
        task.epsilon = epsilon;
        task.out = (HeapTensor) out;
        pool.run(task, rows, grain(4L * x.columns()));
    }

    private final class LayerNormTask implements WorkerPool.Task {
        private HeapTensor x;
        private HeapTensor out;
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
    public void matmul(Tensor x, int rows, WeightMatrix w, WeightVector bias, Activation activation, Tensor residual,
            Tensor out) {
        Ops.checkProduct(x, rows, w, residual, out);
        multiplyAdds += (long) rows * w.inputs() * w.outputs();
        if (multiplyAdds > WORTH_WARMING) {
            backend.warmUp(w.type());
        }
        product.run(backend.kernels(), (HeapTensor) x, rows, (PackedMatrix) w, (PackedVector) bias, activation,
                (HeapTensor) residual, (HeapTensor) out);
    }

    @Override
    public void attention(Tensor qkv, PackedBatch batch, KeyValueMemory cache, int layer, float scale, Tensor out,
            AttentionTrace trace) {
        attention.run(backend.kernels(), (HeapTensor) qkv, batch, (KeyValuePages) cache, layer, scale,
                (HeapTensor) out, trace);
    }

    @Override
    public void close() {
        arena.close();
        caches.close();
        scratch.close();
    }
}
