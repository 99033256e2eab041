package org.vecformer.engine.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;

/**
 * The {@link KeyValueMemory} of the CPU's kernels: off-heap pages that are taken from the system when they are first
 * used.
 * <p>
 * A page has room for all layers and heads. For one layer and head it holds the keys, then the values, each in the
 * layout of a weight panel so that both products of attention run on the matrix kernels:
 *
 * <pre>
 * keys    [headSize][32 positions]              scores[position] = sum over d of q[d] * keys[d][position]
 * values  [column panels][32 positions][32]     out[column]      = sum over positions of p[position] * values[position][column]
 * </pre>
 *
 * In bfloat16 a row of 32 is 16 words, as in a BF16 {@link PackedMatrix}.
 *
 * @param arena    what pages are taken from and freed with
 * @param memory   for each page its off-heap memory, aligned to 64 bytes; null for a page that was never used
 * @param layers   the model's layers
 * @param heads    attention heads of a layer
 * @param headSize numbers of a head
 * @param type     how keys and values are kept: F32 or BF16
 */
public record KeyValuePages(Arena arena, MemorySegment[] memory, int layers, int heads, int headSize, WeightType type)
        implements
            KeyValueMemory {

    /** So many pages, none of which has its memory yet. */
    public KeyValuePages(Arena arena, int pages, int layers, int heads, int headSize, WeightType type) {
        this(arena, new MemorySegment[pages], layers, heads, headSize, type);
    }

    @Override
    public int pages() {
        return memory.length;
    }

    /** Bytes of a row of 32 numbers. */
    public long rowBytes() {
        return type.blockBytes();
    }

    /** Bytes of the keys and values of one page, layer and head. */
    private long headBytes() {
        return rowBytes() * (headSize + Tensor.roundUp(headSize));
    }

    @Override
    public long pageBytes() {
        return headBytes() * layers * heads;
    }

    @Override
    public void commit(int page) {
        if (memory[page] == null) {
            memory[page] = arena.allocate(pageBytes(), PackedMatrix.ALIGNMENT);
        }
    }

    @Override
    public void copy(int from, int to) {
        memory[to].copyFrom(memory[from]);
    }

    /** Byte offset of the keys in their page's memory. */
    public long keys(int layer, int head) {
        return ((long) layer * heads + head) * headBytes();
    }

    /** Byte offset of the values' first column panel. */
    public long values(int layer, int head) {
        return keys(layer, head) + headSize * rowBytes();
    }
}
