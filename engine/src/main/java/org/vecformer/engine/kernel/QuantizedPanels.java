package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
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

    private static final int WORDS = PANEL / 2;
    private static final int ROW_BYTES = WORDS * Integer.BYTES;
    private static final int INT8_ZERO = 128;
    private static final int INT4_ZERO = 8;

    private QuantizedPanels() {
    }

    /** Byte address of the block that has input k of the panel that has output n. */
    private static long block(PackedMatrix m, int k, int n) {
        return n / PANEL * m.panelBytes() + (long) (k / BLOCK) * PANEL * m.type().blockBytes();
    }

    /** Byte address of the scale of column n, in the block at {@code block}. */
    private static long scale(long block, int n) {
        int column = n % PANEL;
        return block + column % WORDS * Integer.BYTES + column / WORDS * Short.BYTES;
    }

    /** Byte address of the integer of input k and output n, or of the byte that its half is in. */
    private static long integer(WeightType type, long block, int k, int n) {
        int inputsInWord = inputsInWord(type);
        int row = k % BLOCK / inputsInWord;
        int place = k % inputsInWord * 2 + n % PANEL / WORDS;
        int bits = Integer.SIZE / inputsInWord / 2;
        return block + ROW_BYTES + row * ROW_BYTES + n % WORDS * Integer.BYTES + place * bits / Byte.SIZE;
    }

    private static int inputsInWord(WeightType type) {
        return type == WeightType.INT8 ? 2 : 4;
    }

    /** How far the half-byte of an output is from the low end of its byte: a byte has the outputs j and j + 16. */
    private static int halfShift(int n) {
        return n % PANEL / WORDS * 4;
    }

    private static float scaleAt(PackedMatrix m, long block, int n) {
        return Narrow.lowBfloat(m.data().get(JAVA_SHORT_UNALIGNED, scale(block, n)));
    }

    private static int integerAt(PackedMatrix m, long block, int k, int n) {
        int held = m.data().get(JAVA_BYTE, integer(m.type(), block, k, n)) & 0xFF;
        return m.type() == WeightType.INT8 ? held - INT8_ZERO : (held >>> halfShift(n) & 0xF) - INT4_ZERO;
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
        long at = integer(m.type(), block(m, k, n), k, n);
        if (m.type() == WeightType.INT8) {
            m.data().set(JAVA_BYTE, at, (byte) (q + INT8_ZERO));
        } else {
            int shift = halfShift(n);
            int others = m.data().get(JAVA_BYTE, at) & ~(0xF << shift);
            m.data().set(JAVA_BYTE, at, (byte) (others | q + INT4_ZERO << shift));
        }
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
     * @param words scratch memory of {@link PackedMatrix} words, at least (1 + 16) * 16
     */
    static void store(BlockQuantizer tile, PackedMatrix m, int k, int n, int width, int[] words) {
        int full = Math.ceilDiv(width, PANEL) * PANEL;
        tile.clear(width, full);
        int[] q = tile.integers();
        int inputs = inputsInWord(m.type());
        int bits = Integer.SIZE / inputs / 2;
        // Each integer of a word with the type's zero added.
        int zeros = m.type() == WeightType.INT8 ? 0x80808080 : 0x88888888;
        int rows = BLOCK / inputs;
        for (int panel = 0; panel < full; panel += PANEL) {
            for (int j = 0; j < WORDS; j++) {
                words[j] = Float.floatToRawIntBits(tile.scales()[panel + j]) >>> 16
                        | Float.floatToRawIntBits(tile.scales()[panel + j + WORDS]) & 0xFFFF_0000;
            }
            for (int row = 0; row < rows; row++) {
                int to = (1 + row) * WORDS;
                for (int j = 0; j < WORDS; j++) {
                    int word = zeros;
                    for (int i = 0; i < inputs; i++) {
                        int from = (row * inputs + i) * BlockQuantizer.STRIDE + panel + j;
                        // Sums carry beyond a byte exactly where its lower neighbour is negative: as if each were added
                        // to its own zero alone, since zero + integer never leaves its bits.
                        word += q[from] << 2 * i * bits;
                        word += q[from + WORDS] << (2 * i + 1) * bits;
                    }
                    words[to + j] = word;
                }
            }
            MemorySegment.copy(words, 0, m.data(), JAVA_INT_UNALIGNED, block(m, k, n + panel), (1 + rows) * WORDS);
        }
    }
}
