package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.Tensor;

/**
 * softmax(q K^T * scale) V over the pages of a key/value cache: first the rows' keys and values are stored, then each
 * row attends.
 * <p>
 * The items are blocks of up to 8 query rows of one sequence, times the heads. A row's numbers depend on its own
 * query and the positions it sees alone, never on where blocks begin: scores are chains over the head's numbers,
 * the softmax is over the whole row, the output is one chain over positions.
 */
final class Attention {

    private static final int PANEL = Tensor.PANEL;
    private static final int PANEL_BYTES = PANEL * Float.BYTES;
    /** Query rows that share the loads of keys and values. */
    private static final int QUERY_ROWS = 8;

    private final WorkerPool pool;
    private final WorkerPool.Task storing = this::store;
    private final WorkerPool.Task attending = this::attend;
    private final float[][] scores;
    private final float[][] heads;
    private final float[][] sums;
    private CpuKernels kernels;
    private Tensor qkv;
    private PackedBatch batch;
    private KeyValuePages cache;
    private int layer;
    private float scale;
    private Tensor out;
    private AttentionTrace trace;

    /** @param longestSequence the most positions that attention will look at */
    Attention(WorkerPool pool, int longestSequence) {
        this.pool = pool;
        scores = new float[pool.threads()][QUERY_ROWS * Tensor.roundUp(longestSequence)];
        heads = new float[pool.threads()][0];
        sums = new float[pool.threads()][QUERY_ROWS];
    }

    /** {@link Ops#attention}. */
    void run(CpuKernels kernels, Tensor qkv, PackedBatch batch, KeyValuePages cache, int layer, float scale, Tensor out,
            AttentionTrace trace) {
        this.kernels = kernels;
        this.qkv = qkv;
        this.batch = batch;
        this.cache = cache;
        this.layer = layer;
        this.scale = scale;
        this.out = out;
        this.trace = trace;
        pool.run(storing, batch.rows(), CpuOps.grain(8L * qkv.columns()));

        int blocks = 0;
        int longest = 0;
        for (int s = 0; s < batch.sequences; s++) {
            int rows = batch.starts[s + 1] - batch.starts[s];
            blocks += Math.ceilDiv(rows, QUERY_ROWS);
            longest = Math.max(longest, batch.seenByAll[s] > 0 ? batch.seenByAll[s] : batch.past[s] + rows);
        }
        pool.run(attending, blocks * cache.heads(), CpuOps.grain(2L * cache.headSize() * longest));
    }

    /** Scatters keys and values of the batch's rows into their pages. */
    private void store(int from, int to, int worker) {
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

    private void attend(int from, int to, int worker) {
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

    private float[] headRows(int worker, int size) {
        if (heads[worker].length < size) {
            heads[worker] = new float[size];
        }
        return heads[worker];
    }
}
