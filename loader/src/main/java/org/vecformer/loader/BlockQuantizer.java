package org.vecformer.loader;

import java.util.Arrays;

/**
 * Makes of float32 numbers blocks of small integers with a bfloat16 scale each: a number is about scale * integer, which
 * float32 holds exactly. Converting a file and loading a model with quantized weights both come here, and so get the
 * same bits.
 *
 * <p>It works on a tile: {@link Quantization#BLOCK} inputs of up to {@link #WIDTH} outputs, one block an output. An
 * output's block depends on its own numbers alone, not on what else is in the tile.
 *
 * <p>An instance is scratch memory and belongs to one thread.
 */
public final class BlockQuantizer {
    /** The most outputs of a tile. */
    public static final int WIDTH = 256;
    /** From one input's numbers to the next one's: no power of two, so that a column spreads over the cache. */
    public static final int STRIDE = WIDTH + 16;
    /** Magnitudes from here on are not quantized. */
    public static final float LIMIT = 0x1p100f;

    /** Adding and subtracting it rounds a float below 2^22 in magnitude to the nearest integer, ties to even. */
    private static final float ROUNDING = 0x1.8p23f;

    private final float[] numbers = new float[Quantization.BLOCK * STRIDE];
    private final int[] integers = new int[Quantization.BLOCK * STRIDE];
    private final float[] scales = new float[WIDTH];
    private final float[] divisors = new float[WIDTH];
    private final float[] highest = new float[WIDTH];
    private final float[] lowest = new float[WIDTH];

    /** Room for a tile. */
    public BlockQuantizer() {
        // The arrays are all there is.
    }

    /** The tile's numbers: that of input k and output n at {@code k * STRIDE + n}. */
    public float[] numbers() {
        return numbers;
    }

    /** The tile's integers, laid out as the numbers. */
    public int[] integers() {
        return integers;
    }

    /** The scale of each output, which bfloat16 holds exactly. */
    public float[] scales() {
        return scales;
    }

    /**
     * Makes integers and scales of the numbers.
     *
     * @param width the outputs that count, at most {@link #WIDTH}
     * @return whether all is well; false if a number is not finite or not below {@link #LIMIT} in magnitude, and the
     *         integers and scales say nothing
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
        System.arraycopy(numbers, 0, highest, 0, width);
        System.arraycopy(numbers, 0, lowest, 0, width);
        for (int k = 1; k < Quantization.BLOCK; k++) {
            int row = k * STRIDE;
            for (int n = 0; n < width; n++) {
                // NaN wins in both.
                highest[n] = Math.max(highest[n], numbers[row + n]);
                lowest[n] = Math.min(lowest[n], numbers[row + n]);
            }
        }
        for (int n = 0; n < width; n++) {
            if (!(highest[n] < LIMIT && lowest[n] > -LIMIT)) {
                return false;
            }
        }
        return true;
    }

    /** integer = number / scale, to the nearest one there is. */
    private void divide(Quantization quantization, int width) {
        for (int n = 0; n < width; n++) {
            // Anything divided by infinity is 0, what a scale of 0 calls for.
            divisors[n] = scales[n] == 0 ? Float.POSITIVE_INFINITY : scales[n];
        }
        int least = quantization.least();
        int most = quantization.most();
        for (int k = 0; k < Quantization.BLOCK; k++) {
            int row = k * STRIDE;
            for (int n = 0; n < width; n++) {
                float rounded = numbers[row + n] / divisors[n] + ROUNDING - ROUNDING;
                integers[row + n] = Math.min(Math.max((int) rounded, least), most);
            }
        }
    }

    /** Sets outputs {@code from} to {@code to} to blocks of zeros. */
    public void clear(int from, int to) {
        Arrays.fill(scales, from, to, 0);
        for (int k = 0; k < Quantization.BLOCK; k++) {
            Arrays.fill(integers, k * STRIDE + from, k * STRIDE + to, 0);
        }
    }

    /** The nearest number that bfloat16 has, ties to even; the number is finite and below {@link #LIMIT}. */
    private static float nearestBfloat(float x) {
        int bits = Float.floatToRawIntBits(x);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF_0000);
    }
}
