package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.vecformer.engine.WeightType.BLOCK;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.BlockQuantizer;

/** Where a quantized {@link PackedMatrix} keeps its scales and integers. */
final class QuantizedPanels {

    private static final int SCALE_WORDS = PANEL / 2;
    private static final int SCALE_BYTES = SCALE_WORDS * Integer.BYTES;
    private static final int ROW_BYTES = PANEL * Integer.BYTES;
    /** How far a word of integers is kept rotated to the left. */
    private static final int ROTATION = 8;

    private QuantizedPanels() {
    }

    /** Byte address of the block that has input k of the panel that has output n. */
    private static long block(PackedMatrix m, int k, int n) {
        return n / PANEL * m.panelBytes() + (long) (k / BLOCK) * PANEL * m.type().blockBytes();
    }

    /** Byte address of the scale of column n, in the block at {@code block}. */
    private static long scale(long block, int n) {
        int column = n % PANEL;
        return block + column % SCALE_WORDS * Integer.BYTES + column / SCALE_WORDS * Short.BYTES;
    }

    /** Byte address of the word that has the integer of input k and output n. */
    private static long word(WeightType type, long block, int k, int n) {
        return block + SCALE_BYTES + k % BLOCK / inputsInWord(type) * ROW_BYTES + n % PANEL * Integer.BYTES;
    }

    private static int bits(WeightType type) {
        return type == WeightType.INT8 ? 8 : 4;
    }

    private static int inputsInWord(WeightType type) {
        return Integer.SIZE / bits(type);
    }

    /** What is added to an integer to keep it. */
    private static int zero(WeightType type) {
        return 1 << bits(type) - 1;
    }

    private static int mask(WeightType type) {
        return (1 << bits(type)) - 1;
    }

    /** How far from the low end of its rotated word the integer of input k is. */
    private static int shift(WeightType type, int k) {
        return (k % inputsInWord(type) * bits(type) + ROTATION) % Integer.SIZE;
    }

    private static float scaleAt(PackedMatrix m, long block, int n) {
        return Narrow.lowBfloat(m.data().get(JAVA_SHORT_UNALIGNED, scale(block, n)));
    }

    private static int integerAt(PackedMatrix m, long block, int k, int n) {
        int word = m.data().get(JAVA_INT_UNALIGNED, word(m.type(), block, k, n));
        return (word >>> shift(m.type(), k) & mask(m.type())) - zero(m.type());
    }

    static float get(PackedMatrix m, int k, int n) {
        long block = block(m, k, n);
        return scaleAt(m, block, n) * integerAt(m, block, k, n);
    }

    /** Sets the scale of the block of 32 inputs that k is in, for output n; rounded to bfloat16. */
    static void setScale(PackedMatrix m, int k, int n, float scale) {
        m.data().set(JAVA_SHORT_UNALIGNED, scale(block(m, k, n), n), Narrow.toBfloat(scale));
    }

    /** Sets the integer of element (k, n), which the type must have. */
    static void setInteger(PackedMatrix m, int k, int n, int q) {
        WeightType type = m.type();
        long at = word(type, block(m, k, n), k, n);
        int others = m.data().get(JAVA_INT_UNALIGNED, at) & ~(mask(type) << shift(type, k));
        m.data().set(JAVA_INT_UNALIGNED, at, others | q + zero(type) << shift(type, k));
    }

    /** Adds output n's column to x. */
    static void addColumn(PackedMatrix m, int n, float[] x, int x0) {
        for (int first = 0; first < m.inputs(); first += BLOCK) {
            long block = block(m, first, n);
            float scale = scaleAt(m, block, n);
            for (int k = first; k < first + BLOCK; k++) {
                x[x0 + k] += scale * integerAt(m, block, k, n);
            }
        }
    }

    /**
     * Writes a tile's integers and scales.
     *
     * @param k     the tile's first input, a multiple of 32
     * @param n     the tile's first output, a multiple of 32
     * @param width the tile's outputs; the panel's columns past them become zero
     * @param words scratch memory of {@link PackedMatrix} words, of a panel's block: at most 16 + 8 * 32
     */
    static void store(BlockQuantizer tile, PackedMatrix m, int k, int n, int width, int[] words) {
        int full = Math.ceilDiv(width, PANEL) * PANEL;
        tile.clear(width, full);
        int[][] q = tile.integers();
        int inputs = inputsInWord(m.type());
        int bits = bits(m.type());
        // Each integer of a word with the type's zero added.
        int zeros = m.type() == WeightType.INT8 ? 0x80808080 : 0x88888888;
        int rows = BLOCK / inputs;
        int length = SCALE_WORDS + rows * PANEL;
        for (int panel = 0; panel < full; panel += PANEL) {
            for (int j = 0; j < SCALE_WORDS; j++) {
                words[j] = Float.floatToRawIntBits(tile.scales()[panel + j]) >>> 16
                        | Float.floatToRawIntBits(tile.scales()[panel + j + SCALE_WORDS]) & 0xFFFF_0000;
            }
            for (int row = 0; row < rows; row++) {
                int to = SCALE_WORDS + row * PANEL;
                for (int c = 0; c < PANEL; c++) {
                    int word = zeros;
                    for (int i = 0; i < inputs; i++) {
                        // Sums carry beyond a byte exactly where its lower neighbour is negative: as if each were added
                        // to its own zero alone, since zero + integer never leaves its bits.
                        word += q[row * inputs + i][panel + c] << i * bits;
                    }
                    words[to + c] = Integer.rotateLeft(word, ROTATION);
                }
            }
            MemorySegment.copy(words, 0, m.data(), JAVA_INT_UNALIGNED, block(m, k, n + panel), length);
        }
    }
}
