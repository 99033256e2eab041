package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.vecformer.engine.WeightType;
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

    private static final int PANEL = Tensor.PANEL;
    private static final int PANEL_BYTES = PANEL * Float.BYTES;
    /** Query rows that share the loads of keys and values. */
    private static final int QUERY_ROWS = 8;
    /** Multiply-adds that are worth another thread's attention: some microseconds. */
    private static final long GRAIN = 128 * 1024;
    /**
     * Multiply-adds of a session after which faster kernels are worth the cost of compiling them: a second or
     * so of plain Java.
     */
    private static final long WORTH_WARMING = 4_000_000_000L;

    private final CpuBackend backend;
    private final WorkerPool pool;
    private final Arena arena;
    private final EmbedTask embedTask = new EmbedTask();
    private final MatmulTask matmulTask = new MatmulTask();
    private final LayerNormTask layerNormTask = new LayerNormTask();
    private final StoreTask storeTask = new StoreTask();
    private final AttentionTask attentionTask = new AttentionTask();
    private final MemorySegment[] widened;
    private final float[][] scores;
    private final float[][] heads;
    private final float[][] sums;
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
        this.arena = arena;
        widened = new MemorySegment[pool.threads()];
        scores = new float[pool.threads()][QUERY_ROWS * Tensor.roundUp(longestSequence)];
        heads = new float[pool.threads()][0];
        sums = new float[pool.threads()][QUERY_ROWS];
    }

    private static int grain(long multiplyAddsPerItem) {
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
            backend.warmUp();
        }
        kernels = backend.kernels();
        MatmulTask task = matmulTask;
        task.x = x;
        task.rows = rows;
        task.w = w;
        task.bias = bias;
        task.activation = activation;
        task.residual = residual;
        task.out = out;
        // The items are panels of W: each is read from memory once, by one thread, and used for all rows.
        pool.run(task, rows == 0 ? 0 : w.panels(), grain((long) rows * w.inputs() * PANEL));
    }

    private final class MatmulTask implements WorkerPool.Task {
        private Tensor x;
        private int rows;
        private PackedMatrix w;
        private PackedVector bias;
        private Activation activation;
        private Tensor residual;
        private Tensor out;

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

    @Override
    public void attention(Tensor qkv, PackedBatch batch, KeyValuePages cache, int layer, float scale, Tensor out,
            AttentionTrace trace) {
        kernels = backend.kernels();
        StoreTask store = storeTask;
        store.qkv = qkv;
        store.batch = batch;
        store.cache = cache;
        store.layer = layer;
        pool.run(store, batch.rows(), grain(8L * qkv.columns()));

        AttentionTask task = attentionTask;
        task.qkv = qkv;
        task.batch = batch;
        task.cache = cache;
        task.layer = layer;
        task.scale = scale;
        task.out = out;
        task.trace = trace;
        int blocks = 0;
        int longest = 0;
        for (int s = 0; s < batch.sequences; s++) {
            int rows = batch.starts[s + 1] - batch.starts[s];
            blocks += Math.ceilDiv(rows, QUERY_ROWS);
            longest = Math.max(longest, batch.seenByAll[s] > 0 ? batch.seenByAll[s] : batch.past[s] + rows);
        }
        pool.run(task, blocks * cache.heads(), grain(2L * cache.headSize() * longest));
    }

    /** Scatters keys and values of the batch's rows into their pages. */
    private final class StoreTask implements WorkerPool.Task {
        private Tensor qkv;
        private PackedBatch batch;
        private KeyValuePages cache;
        private int layer;

        @Override
        public void run(int from, int to, int worker) {
            int sequence = 0;
            for (int row = from; row < to; row++) {
                while (row >= batch.starts[sequence + 1]) {
                    sequence++;
                }
                int position = batch.past[sequence] + row - batch.starts[sequence];
                int page = batch.pages[sequence][position / PANEL];
                for (int head = 0; head < cache.heads(); head++) {
                    store(row, page, position % PANEL, head);
                }
            }
        }

        private void store(int row, int page, int slot, int head) {
            int size = cache.headSize();
            int hidden = size * cache.heads();
            int key = qkv.offset(row) + hidden + head * size;
            MemorySegment memory = cache.memory()[page];
            long to = cache.keys(layer, head) + (long) slot * Float.BYTES;
            for (int d = 0; d < size; d++) {
                memory.set(JAVA_FLOAT_UNALIGNED, to + (long) d * PANEL_BYTES, qkv.data()[key + d]);
            }
            int value = key + hidden;
            long panel = cache.values(layer, head) + (long) slot * PANEL_BYTES;
            for (int d = 0; d < size; d += PANEL, panel += (long) KeyValuePages.POSITIONS * PANEL_BYTES) {
                MemorySegment.copy(qkv.data(), value + d, memory, JAVA_FLOAT_UNALIGNED, panel,
                        Math.min(PANEL, size - d));
            }
        }
    }

    /**
     * The items are blocks of up to 8 query rows of one sequence, times the heads. A row's numbers depend on its own
     * query and the positions it sees alone, never on where blocks begin: scores are chains over the head's numbers,
     * the softmax is over the whole row, the output is one chain over positions.
     */
    private final class AttentionTask implements WorkerPool.Task {
        private Tensor qkv;
        private PackedBatch batch;
        private KeyValuePages cache;
        private int layer;
        private float scale;
        private Tensor out;
        private AttentionTrace trace;

        @Override
        public void run(int from, int to, int worker) {
            int item = 0;
            for (int s = 0; s < batch.sequences && item < to; s++) {
                int rows = batch.starts[s + 1] - batch.starts[s];
                int blocks = Math.ceilDiv(rows, QUERY_ROWS);
                int first = Math.max(from - item, 0);
                int last = Math.min(to - item, blocks * cache.heads());
                for (int i = first; i < last; i++) {
                    int row = i % blocks * QUERY_ROWS;
                    attend(s, i / blocks, row, Math.min(QUERY_ROWS, rows - row), worker);
                }
                item += blocks * cache.heads();
            }
        }

        private void attend(int sequence, int head, int firstRow, int rows, int worker) {
            // What the first row sees; each row after it sees one position more (a decoder) or the same (an encoder).
            int all = batch.seenByAll[sequence];
            int firstSeen = all > 0 ? all : batch.past[sequence] + firstRow + 1;
            int more = all > 0 ? 0 : 1;
            int row0 = batch.starts[sequence] + firstRow;
            int[] table = batch.pages[sequence];
            int keyStride = Tensor.roundUp(firstSeen + (rows - 1) * more);
            int valueStride = Tensor.roundUp(cache.headSize());
            float[] p = scores[worker];
            float[] o = headRows(worker, QUERY_ROWS * valueStride);
            float[] sum = sums[worker];

            score(table, head, row0, rows, p, keyStride);
            for (int r = 0; r < rows; r++) {
                int seen = firstSeen + r * more;
                sum[r] = kernels.softmaxNumerators(p, r * keyStride, seen, scale);
                if (trace != null) {
                    trace(head, row0 + r, p, r * keyStride, seen, sum[r]);
                }
            }
            weighValues(table, head, firstSeen, more, rows, p, keyStride, o, valueStride);
            for (int r = 0; r < rows; r++) {
                int to = out.offset(row0 + r) + head * cache.headSize();
                for (int d = 0; d < cache.headSize(); d++) {
                    out.data()[to + d] = o[r * valueStride + d] / sum[r];
                }
            }
        }

        /**
         * p[r][j] = query r times key j, for whole pages of keys: those that a row does not see are not looked at.
         */
        private void score(int[] table, int head, int row0, int rows, float[] p, int keyStride) {
            int query = qkv.offset(row0) + head * cache.headSize();
            for (int page = 0; page * PANEL < keyStride; page++) {
                kernels.tile(qkv.data(), query, qkv.stride(), rows, cache.headSize(), cache.memory()[table[page]],
                        cache.keys(layer, head), p, page * PANEL, keyStride, false);
            }
        }

        /** o[r] = sum over the positions j that row r sees of p[r][j] times value j. */
        private void weighValues(int[] table, int head, int firstSeen, int more, int rows, float[] p, int keyStride,
                float[] o, int valueStride) {
            // Where every row of the block sees the same of a page they share the loads; else they go one by one.
            int shared = more == 0 ? firstSeen : firstSeen / PANEL * PANEL;
            for (int column = 0; column < cache.headSize(); column += PANEL) {
                long values = cache.values(layer, head) + (long) column * KeyValuePages.POSITIONS * Float.BYTES;
                for (int page = 0; page * PANEL < keyStride; page++) {
                    MemorySegment memory = cache.memory()[table[page]];
                    if (page * PANEL < shared) {
                        int seen = Math.min(PANEL, shared - page * PANEL);
                        kernels.tile(p, page * PANEL, keyStride, rows, seen, memory, values, o, column, valueStride,
                                page > 0);
                        continue;
                    }
                    for (int r = 0; r < rows; r++) {
                        int seen = Math.min(PANEL, firstSeen + r * more - page * PANEL);
                        if (seen > 0) {
                            kernels.tile(p, r * keyStride + page * PANEL, keyStride, 1, seen, memory, values, o,
                                    r * valueStride + column, valueStride, page > 0);
                        }
                    }
                }
            }
        }

        private void trace(int head, int row, float[] numerators, int from, int count, float sum) {
            float[] probabilities = new float[count];
            for (int j = 0; j < count; j++) {
                probabilities[j] = numerators[from + j] / sum;
            }
            trace.probabilities(layer, head, row, probabilities);
        }
    }

    private float[] headRows(int worker, int size) {
        if (heads[worker].length < size) {
            heads[worker] = new float[size];
        }
        return heads[worker];
    }
}
