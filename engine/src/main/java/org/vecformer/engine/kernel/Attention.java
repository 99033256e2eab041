package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;

/**
 * softmax(q K^T * scale) V over the pages of a key/value cache.
 * <p>
 * First the rows' keys and values are stored, then blocks of up to 8 query rows of one sequence attend, each head for
 * itself. Where no sequence has more than one block, as in decoding, a head is stored and attends in one go: nobody
 * waits in between, and what is stored arrives while the pages before it are read.
 * <p>
 * A row's numbers depend on its own query and the positions it sees alone, never on where blocks begin: scores are
 * chains over the head's numbers, the softmax is over the whole row, the output is one chain over positions. A page
 * that no row of a block sees is skipped.
 * <p>
 * The scores of 8 rows over a whole context stay in the nearest caches, so a running softmax has nothing to save: page
 * by page, with the sums rescaled, it took 1.1 to 1.3 times as long at 16 to 1024 positions.
 */
final class Attention {

    private static final int PANEL = Tensor.PANEL;
    private static final int PANEL_BYTES = PANEL * Float.BYTES;
    /** Query rows that share the loads of keys and values. */
    private static final int QUERY_ROWS = 8;

    private final WorkerPool pool;
    private final WorkerPool.Task storing = this::store;
    private final WorkerPool.Task attending = this::attend;
    private final WorkerPool.Task storingAndAttending = this::storeAndAttend;
    private final float[][] scores;
    private final float[][] heads;
    private final float[][] sums;
    private final Arena arena;
    /** Keys or values of a bfloat16 page, widened, for each worker. */
    private final MemorySegment[] widened;
    /** Where each sequence's blocks of query rows start, if all sequences' blocks are counted through. */
    private int[] blocks = new int[1];
    private CpuKernels kernels;
    private HeapTensor qkv;
    private PackedBatch batch;
    private KeyValuePages cache;
    private int layer;
    private float scale;
    private HeapTensor out;
    private AttentionTrace trace;

    /**
     * @param arena           the session's: scratch memory goes with it
     * @param longestSequence the most positions that attention will look at
     */
    Attention(WorkerPool pool, Arena arena, int longestSequence) {
        this.pool = pool;
        this.arena = arena;
        widened = new MemorySegment[pool.threads()];
        scores = new float[pool.threads()][QUERY_ROWS * Tensor.roundUp(longestSequence)];
        heads = new float[pool.threads()][0];
        sums = new float[pool.threads()][QUERY_ROWS];
    }

    /** {@link Ops#attention}. */
    void run(CpuKernels kernels, HeapTensor qkv, PackedBatch batch, KeyValuePages cache, int layer, float scale,
            HeapTensor out,
            AttentionTrace trace) {
        this.kernels = kernels;
        this.qkv = qkv;
        this.batch = batch;
        this.cache = cache;
        this.layer = layer;
        this.scale = scale;
        this.out = out;
        this.trace = trace;
        if (blocks.length <= batch.sequences) {
            blocks = new int[2 * batch.sequences + 1];
        }
        int longest = 0;
        for (int s = 0; s < batch.sequences; s++) {
            int rows = batch.starts[s + 1] - batch.starts[s];
            blocks[s + 1] = blocks[s] + Math.ceilDiv(rows, QUERY_ROWS);
            longest = Math.max(longest, batch.seenByAll[s] > 0 ? batch.seenByAll[s] : batch.past[s] + rows);
        }
        int all = blocks[batch.sequences];
        // Few rows wait for keys and values, which takes as long as some rows' arithmetic.
        long work = 2L * QUERY_ROWS * cache.headSize() * longest;
        if (all == batch.sequences) {
            pool.run(storingAndAttending, batch.sequences * cache.heads(), CpuOps.grain(work));
        } else {
            pool.run(storing, batch.rows(), CpuOps.grain(8L * qkv.columns()));
            pool.run(attending, all * cache.heads(), CpuOps.grain(work));
        }
    }

    private void storeAndAttend(int from, int to, int worker) {
        for (int item = from; item < to; item++) {
            int s = item / cache.heads();
            int head = item % cache.heads();
            store(s, batch.starts[s], batch.starts[s + 1], head, head + 1);
            attend(s, head, 0, worker);
        }
    }

    private void attend(int from, int to, int worker) {
        int s = 0;
        for (int item = from; item < to; item++) {
            // All blocks of a sequence's first head, then of its second.
            while (item >= blocks[s + 1] * cache.heads()) {
                s++;
            }
            int inSequence = item - blocks[s] * cache.heads();
            int count = blocks[s + 1] - blocks[s];
            attend(s, inSequence / count, inSequence % count, worker);
        }
    }

    private void store(int from, int to, int worker) {
        int s = 0;
        for (int row = from; row < to; row = Math.min(to, batch.starts[s + 1])) {
            while (row >= batch.starts[s + 1]) {
                s++;
            }
            store(s, row, Math.min(to, batch.starts[s + 1]), 0, cache.heads());
        }
    }

    /** Scatters the keys and values of a sequence's rows into their pages. */
    private void store(int sequence, int from, int to, int firstHead, int lastHead) {
        for (int row = from; row < to;) {
            int position = batch.past[sequence] + row - batch.starts[sequence];
            int slot = position % PANEL;
            int count = Math.min(PANEL - slot, to - row);
            MemorySegment page = cache.memory()[batch.pages[sequence][position / PANEL]];
            // A head's part of a page fits the first-level cache; that of all heads, row by row, does not.
            for (int head = firstHead; head < lastHead; head++) {
                for (int i = 0; i < count; i++) {
                    store(row + i, head, page, slot + i);
                }
            }
            row += count;
        }
    }

    private void store(int row, int head, MemorySegment page, int slot) {
        int size = cache.headSize();
        float[] x = qkv.data();
        int key = qkv.offset(row) + (cache.heads() + head) * size;
        int value = key + cache.heads() * size;
        if (cache.type() == WeightType.BF16) {
            storeBfloats(head, page, slot, key, value);
            return;
        }
        long to = cache.keys(layer, head) + (long) slot * Float.BYTES;
        for (int d = 0; d < size; d++) {
            page.set(JAVA_FLOAT_UNALIGNED, to + (long) d * PANEL_BYTES, x[key + d]);
        }
        long panel = cache.values(layer, head) + (long) slot * PANEL_BYTES;
        for (int d = 0; d < size; d += PANEL, panel += KeyValuePages.POSITIONS * (long) PANEL_BYTES) {
            kernels.copy(x, value + d, Math.min(PANEL, size - d), page, panel);
        }
    }

    private void storeBfloats(int head, MemorySegment page, int slot, int key, int value) {
        float[] x = qkv.data();
        long keys = cache.keys(layer, head) + inRow(slot);
        long values = cache.values(layer, head) + slot * cache.rowBytes();
        for (int d = 0; d < cache.headSize(); d++) {
            page.set(JAVA_SHORT_UNALIGNED, keys + d * cache.rowBytes(), Narrow.toBfloat(x[key + d]));
            long panel = d / PANEL * KeyValuePages.POSITIONS * cache.rowBytes();
            page.set(JAVA_SHORT_UNALIGNED, values + panel + inRow(d % PANEL), Narrow.toBfloat(x[value + d]));
        }
    }

    /** Byte of a bfloat16 number in its row of 32: word j has columns j and j + 16. */
    private static long inRow(int column) {
        return column % (PANEL / 2) * (long) Integer.BYTES + column / (PANEL / 2) * (long) Short.BYTES;
    }

    /** Rows of a bfloat16 page in float32, at byte 0. */
    private MemorySegment widened(MemorySegment page, long from, int rows, int worker) {
        long bytes = (long) rows * PANEL_BYTES;
        if (widened[worker] == null || widened[worker].byteSize() < bytes) {
            widened[worker] = arena.allocate(Math.max(bytes, (long) PANEL * PANEL_BYTES), PackedMatrix.ALIGNMENT);
        }
        kernels.widenBfloats(page, from, rows, widened[worker]);
        return widened[worker];
    }

    private void attend(int sequence, int head, int block, int worker) {
        int firstRow = block * QUERY_ROWS;
        int rows = Math.min(QUERY_ROWS, batch.starts[sequence + 1] - batch.starts[sequence] - firstRow);
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

        score(table, head, row0, rows, p, keyStride, worker);
        for (int r = 0; r < rows; r++) {
            int seen = firstSeen + r * more;
            sum[r] = kernels.softmaxNumerators(p, r * keyStride, seen, scale);
            if (trace != null) {
                trace(head, row0 + r, p, r * keyStride, seen, sum[r]);
            }
        }
        weighValues(table, head, firstSeen, more, rows, p, keyStride, o, valueStride, worker);
        for (int r = 0; r < rows; r++) {
            int to = out.offset(row0 + r) + head * cache.headSize();
            kernels.divide(o, r * valueStride, cache.headSize(), sum[r], out.data(), to);
        }
    }

    /**
     * p[r][j] = query r times key j, for whole pages of keys: those that a row does not see are not looked at.
     */
    private void score(int[] table, int head, int row0, int rows, float[] p, int keyStride, int worker) {
        int query = qkv.offset(row0) + head * cache.headSize();
        long keys = cache.keys(layer, head);
        boolean narrow = cache.type() == WeightType.BF16;
        int page = 0;
        for (; rows == 1 && !narrow && (page + 1) * PANEL < keyStride; page += 2) {
            kernels.twoTiles(qkv.data(), query, cache.headSize(), cache.memory()[table[page]], keys,
                    cache.memory()[table[page + 1]], keys, p, page * PANEL, false);
        }
        for (; page * PANEL < keyStride; page++) {
            MemorySegment memory = cache.memory()[table[page]];
            MemorySegment b = narrow ? widened(memory, keys, cache.headSize(), worker) : memory;
            kernels.tile(qkv.data(), query, qkv.stride(), rows, cache.headSize(), b, narrow ? 0 : keys, p,
                    page * PANEL, keyStride, false);
        }
    }

    /** o[r] = sum over the positions j that row r sees of p[r][j] times value j. */
    private void weighValues(int[] table, int head, int firstSeen, int more, int rows, float[] p, int keyStride,
            float[] o, int valueStride, int worker) {
        for (int page = 0; page * PANEL < keyStride; page++) {
            int from = page * PANEL;
            MemorySegment memory = cache.memory()[table[page]];
            // The rows share the loads of what all of them see; the later ones add the few positions after that alone.
            int shared = Math.clamp(firstSeen - from, 0, PANEL);
            if (shared > 0) {
                weigh(memory, head, 0, shared, p, from, keyStride, rows, o, 0, valueStride, page > 0, worker);
            }
            int last = shared == PANEL ? 0 : (rows - 1) * more;
            for (int r = 1; r <= last; r++) {
                int seen = Math.min(PANEL, firstSeen + r - from);
                if (seen > shared) {
                    weigh(memory, head, shared, seen - shared, p, r * keyStride + from + shared, keyStride, 1, o,
                            r * valueStride, valueStride, from + shared > 0, worker);
                }
            }
        }
    }

    /** The part of {@code count} positions of a page, from {@code slot} on. */
    private void weigh(MemorySegment page, int head, int slot, int count, float[] p, int p0, int pStride, int rows,
            float[] o, int o0, int oStride, boolean more, int worker) {
        long values = cache.values(layer, head) + slot * cache.rowBytes();
        long panelBytes = KeyValuePages.POSITIONS * cache.rowBytes();
        boolean narrow = cache.type() == WeightType.BF16;
        int column = 0;
        for (; rows == 1 && !narrow && column + PANEL < oStride; column += 2 * PANEL, values += 2 * panelBytes) {
            kernels.twoTiles(p, p0, count, page, values, page, values + panelBytes, o, o0 + column, more);
        }
        for (; column < oStride; column += PANEL, values += panelBytes) {
            MemorySegment b = narrow ? widened(page, values, count, worker) : page;
            kernels.tile(p, p0, pStride, rows, count, b, narrow ? 0 : values, o, o0 + column, oStride, more);
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
