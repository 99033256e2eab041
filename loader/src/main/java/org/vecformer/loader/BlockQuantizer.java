package org.vecformer.loader;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Makes of float32 numbers blocks of small integers with a bfloat16 scale each, as {@link Quantization} says. Converting
 * a file and loading a model with quantized weights both come here, and so get the same bits.
 *
 * <p>It works on a tile: {@link Quantization#BLOCK} inputs of up to {@link #WIDTH} outputs, one block an output. An
 * output's block depends on its own numbers alone, not on what else is in the tile.
 *
 * <p>An instance is scratch memory and belongs to one thread.
 */
public final class BlockQuantizer {
    /** The most outputs of a tile. */
    public static final int WIDTH = 256;

    /** Magnitudes from here on are not quantized. */
    private static final float LIMIT = 0x1p100f;
    /** Adding and subtracting it rounds a float below 2^22 in magnitude to the nearest integer, ties to even. */
    private static final float ROUNDING = 0x1.8p23f;
    private static final int INT4_ZERO = 8;

    // A row for each input: loops along rows whose arrays have the same index become vector instructions.
    private final float[][] numbers = new float[Quantization.BLOCK][WIDTH];
    private final int[][] integers = new int[Quantization.BLOCK][WIDTH];
    private final float[] scales = new float[WIDTH];
    private final float[] highest = new float[WIDTH];
    private final float[] lowest = new float[WIDTH];
    private final float[] divisors = new float[WIDTH];
    private final float[] column = new float[Quantization.BLOCK];

    /** Room for a tile. */
    public BlockQuantizer() {
        // The arrays are all there is.
    }

    /** The tile's numbers: a row for each input, with those of the outputs. */
    public float[][] numbers() {
        return numbers;
    }

    /** The tile's integers, laid out as the numbers. */
    public int[][] integers() {
        return integers;
    }

    /** The scale of each output, which bfloat16 holds exactly. */
    public float[] scales() {
        return scales;
    }

    /**
     * Fills the tile with numbers.
     *
     * @param data numbers of this type and layout
     * @param input the first input
     * @param depth how many inputs, at most 32
     * @param output the first output
     * @param width how many outputs, at most {@link #WIDTH}
     */
    public void fill(MemorySegment data, DType dtype, MatrixLayout layout, long input, int depth, long output,
            int width) {
        if (layout.inputsFirst()) {
            for (int k = 0; k < depth; k++) {
                dtype.widen(data, layout.index(input + k, output, 1), numbers[k], 0, width);
            }
            return;
        }
        for (int n = 0; n < width; n++) {
            dtype.widen(data, layout.index(input, output + n, 1), column, 0, depth);
            for (int k = 0; k < depth; k++) {
                numbers[k][n] = column[k];
            }
        }
    }

    /**
     * Makes integers and scales of the numbers of 32 inputs.
     *
     * @param width the outputs that count
     * @return whether all is well; false if a number is not finite or not below 2^100 in magnitude, and the integers and
     *         scales say nothing
     */
    public boolean quantize(Quantization quantization, int width) {
        if (!findExtremes(width)) {
            return false;
        }
        for (int n = 0; n < width; n++) {
            scales[n] = nearestBfloat(switch (quantization) {
                case INT8 -> Math.max(highest[n], -lowest[n]) / 127;
                // There is one more negative integer than positive ones: the number of greatest magnitude gets it.
                case INT4 -> (highest[n] > -lowest[n] ? highest[n] : lowest[n]) / -8;
            });
        }
        divide(quantization, width);
        return true;
    }

    private boolean findExtremes(int width) {
        System.arraycopy(numbers[0], 0, highest, 0, width);
        System.arraycopy(numbers[0], 0, lowest, 0, width);
        for (float[] row : numbers) {
            for (int n = 0; n < width; n++) {
                // NaN wins in both.
                highest[n] = Math.max(highest[n], row[n]);
                lowest[n] = Math.min(lowest[n], row[n]);
            }
        }
        for (int n = 0; n < width; n++) {
            if (!isBelowLimit(highest[n]) || !isBelowLimit(lowest[n])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a number can be one of a quantized matrix, or a scale: it is finite and below 2^100 in magnitude. */
    public static boolean isBelowLimit(float number) {
        return Math.abs(number) < LIMIT;
    }

    /** integer = number / scale, to the nearest one there is. */
    private void divide(Quantization quantization, int width) {
        for (int n = 0; n < width; n++) {
            // Anything divided by infinity is 0, what a scale of 0 calls for.
            divisors[n] = scales[n] == 0 ? Float.POSITIVE_INFINITY : scales[n];
        }
        for (int k = 0; k < Quantization.BLOCK; k++) {
            divide(numbers[k], divisors, integers[k], quantization.least(), quantization.most(), width);
        }
    }

    private static void divide(float[] row, float[] divisors, int[] integers, int least, int most, int width) {
        for (int n = 0; n < width; n++) {
            float rounded = row[n] / divisors[n] + ROUNDING - ROUNDING;
            integers[n] = Math.min(Math.max((int) rounded, least), most);
        }
    }

    /** Makes the numbers of integers and scales, exactly; zeros are positive. */
    public void dequantize(int width) {
        for (int k = 0; k < Quantization.BLOCK; k++) {
            float[] row = numbers[k];
            int[] from = integers[k];
            for (int n = 0; n < width; n++) {
                row[n] = scales[n] * from[n] + 0f;
            }
        }
    }

    /** Sets outputs {@code from} to {@code to} to blocks of zeros. */
    public void clear(int from, int to) {
        Arrays.fill(scales, from, to, 0);
        for (int[] row : integers) {
            Arrays.fill(row, from, to, 0);
        }
    }

    /**
     * Takes integers and scales out of tensors laid out as {@link Quantization} says.
     *
     * @param input the first input, a multiple of 32
     * @param output the first output
     * @param width how many outputs, at most {@link #WIDTH}
     * @return what is wrong with them and what was expected, for a message; null if nothing is
     */
    public String read(Quantization quantization, MemorySegment integerData, MemorySegment scaleData,
            MatrixLayout layout, long input, long output, int width) {
        int least = 0;
        for (int n = 0; n < width; n++) {
            scales[n] = Float.intBitsToFloat(scaleData.get(JAVA_SHORT_UNALIGNED,
                    layout.index(input, output + n, Quantization.BLOCK) * Short.BYTES) << 16);
            if (!isBelowLimit(scales[n])) {
                return "the scale " + scales[n] + ", expected a finite one below 2^100 in magnitude";
            }
        }
        // The inner loop goes along the rows.
        int inner = layout.inputsFirst() ? width : Quantization.BLOCK;
        int outer = layout.inputsFirst() ? Quantization.BLOCK : width;
        for (int i = 0; i < outer; i++) {
            for (int j = 0; j < inner; j++) {
                int k = layout.inputsFirst() ? i : j;
                int n = layout.inputsFirst() ? j : i;
                int held = integerData.get(JAVA_BYTE, quantization.index(layout, input + k, output + n));
                int integer = quantization == Quantization.INT8 ? held : (held >>> k % 2 * 4 & 0xF) - INT4_ZERO;
                integers[k][n] = integer;
                least = Math.min(least, integer);
            }
        }
        return least < quantization.least()
                ? "the integer " + least + ", expected " + quantization.least() + " to " + quantization.most()
                : null;
    }

    /** Puts integers and scales into tensors; the parameters are those of {@link #read}. */
    public void write(Quantization quantization, MemorySegment integerData, MemorySegment scaleData,
            MatrixLayout layout, long input, long output, int width) {
        for (int n = 0; n < width; n++) {
            scaleData.set(JAVA_SHORT_UNALIGNED, layout.index(input, output + n, Quantization.BLOCK) * Short.BYTES,
                    (short) (Float.floatToRawIntBits(scales[n]) >>> 16));
            for (int k = 0; k < Quantization.BLOCK; k += Byte.SIZE / quantization.bits()) {
                integerData.set(JAVA_BYTE, quantization.index(layout, input + k, output + n),
                        (byte) (quantization == Quantization.INT8
                                ? integers[k][n]
                                : integers[k][n] + INT4_ZERO | integers[k + 1][n] + INT4_ZERO << 4));
            }
        }
    }

    /** The nearest number that bfloat16 has, ties to even; the number is below 2^100 in magnitude. */
    private static float nearestBfloat(float x) {
        int bits = Float.floatToRawIntBits(x);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF_0000);
    }
}
