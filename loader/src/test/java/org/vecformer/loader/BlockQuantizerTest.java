package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockQuantizerTest {

    private final BlockQuantizer tile = new BlockQuantizer();

    /** Fills the tile's output n with a block. */
    private void block(int n, float... numbers) {
        for (int k = 0; k < Quantization.BLOCK; k++) {
            tile.numbers()[k][n] = numbers[k % numbers.length];
        }
    }

    private int integer(int n, int k) {
        return tile.integers()[k][n];
    }

    /** Normal numbers of every magnitude: a difference is at most half a scale and what rounding the scale adds. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void numbersAreNear(Quantization quantization) {
        Random random = new Random(1);
        float[][] original = new float[Quantization.BLOCK][BlockQuantizer.WIDTH];
        for (int round = 0; round < 50; round++) {
            for (int n = 0; n < BlockQuantizer.WIDTH; n++) {
                float size = Math.scalb(1f, random.nextInt(-110, 96));
                for (int k = 0; k < Quantization.BLOCK; k++) {
                    original[k][n] = (float) random.nextGaussian() * size;
                    tile.numbers()[k][n] = original[k][n];
                }
            }
            assertThat(tile.quantize(quantization, BlockQuantizer.WIDTH)).isTrue();
            for (int n = 0; n < BlockQuantizer.WIDTH; n++) {
                float scale = tile.scales()[n];
                assertThat(Float.floatToRawIntBits(scale) & 0xFFFF).as("bits that bfloat16 does not have").isZero();
                for (int k = 0; k < Quantization.BLOCK; k++) {
                    int q = integer(n, k);
                    assertThat(q).isBetween(quantization.least(), quantization.most());
                    // INT4 has no 8: a number as large as the greatest one, of the other sign, is a whole scale off.
                    double bound = quantization == Quantization.INT8 ? 0.5 : q == quantization.most() ? 1.05 : 0.54;
                    assertThat(Math.abs(original[k][n] - (double) scale * q)).isLessThanOrEqualTo(
                            bound * Math.abs(scale));
                    assertThat((double) (scale * q)).as("exact in float32").isEqualTo((double) scale * q);
                }
            }
            tile.dequantize(BlockQuantizer.WIDTH);
            assertThat(tile.numbers()[7][9]).isEqualTo(tile.scales()[9] * integer(9, 7));
        }
    }

    @Test
    void theGreatestNumberGetsTheGreatestInteger() {
        block(0, 254, -1, 0);
        block(1, -254, 1, 2);
        tile.quantize(Quantization.INT8, 2);
        assertThat(tile.scales()).startsWith(2, 2);
        assertThat(integer(0, 0)).isEqualTo(127);
        assertThat(integer(1, 0)).isEqualTo(-127);
        assertThat(integer(1, 2)).isEqualTo(1);
        tile.quantize(Quantization.INT4, 2);
        assertThat(tile.scales()).startsWith(-31.75f, 31.75f);
        assertThat(integer(0, 0)).isEqualTo(-8);
        assertThat(integer(1, 0)).isEqualTo(-8);
    }

    /** From nothing through the subnormal numbers, in which a scale cannot be found to the last bit. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void smallNumbersDoNoHarm(Quantization quantization) {
        for (int exponent = -149; exponent < -100; exponent++) {
            float x = Math.scalb(1f, exponent);
            block(0, x, 0, -x, x / 2);
            assertThat(tile.quantize(quantization, 1)).isTrue();
            float scale = tile.scales()[0];
            for (int k = 0; k < 4; k++) {
                assertThat(integer(0, k)).isBetween(quantization.least(), quantization.most());
                assertThat(Math.abs(tile.numbers()[k][0] - scale * integer(0, k))).isLessThanOrEqualTo(x);
            }
        }
        block(0, 0f, -0f);
        assertThat(tile.quantize(quantization, 1)).isTrue();
        assertThat(tile.scales()[0]).isZero();
        assertThat(integer(0, 0)).isZero();
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void whatIsNoNumberOrTooLargeIsSeenWhereverItIs(Quantization quantization) {
        for (float hostile : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0x1p100f,
            -0x1p100f}) {
            for (int k : new int[]{0, 1, 31}) {
                for (int n : new int[]{0, 17, 39}) {
                    for (int column = 0; column < 40; column++) {
                        block(column, 1, -2, 3);
                    }
                    assertThat(tile.quantize(quantization, 40)).isTrue();
                    tile.numbers()[k][n] = hostile;
                    assertThat(tile.quantize(quantization, 40)).isFalse();
                    assertThat(tile.quantize(quantization, n)).as("of outputs that count").isTrue();
                }
            }
        }
    }

    /** What is written into tensors of both orders is read again, and each in its place. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void writingAndReading(Quantization quantization) {
        Random random = new Random(2);
        for (boolean inputsFirst : new boolean[]{false, true}) {
            MatrixLayout layout = new MatrixLayout(inputsFirst, 96, 300);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment integers = arena.allocate(96L * 300 * quantization.bits() / 8);
                MemorySegment scales = arena.allocate(3L * 300 * 2);
                int[][] expected = new int[96][300];
                float[][] expectedScales = new float[3][300];
                for (int n0 = 0; n0 < 300; n0 += BlockQuantizer.WIDTH) {
                    int width = Math.min(BlockQuantizer.WIDTH, 300 - n0);
                    for (int k0 = 0; k0 < 96; k0 += 32) {
                        for (int n = 0; n < width; n++) {
                            expectedScales[k0 / 32][n0 + n] = tile.scales()[n] = random.nextInt(-99, 99) / 8f;
                            for (int k = 0; k < 32; k++) {
                                expected[k0 + k][n0 + n] = tile.integers()[k][n] = random.nextInt(quantization.least(),
                                        quantization.most() + 1);
                            }
                        }
                        tile.write(quantization, integers, scales, layout, k0, n0, width);
                    }
                }
                for (int n0 = 0; n0 < 300; n0 += 100) {
                    for (int k0 = 0; k0 < 96; k0 += 32) {
                        assertThat(tile.read(quantization, integers, scales, layout, k0, n0, 100)).isNull();
                        for (int n = 0; n < 100; n++) {
                            assertThat(tile.scales()[n]).isEqualTo(expectedScales[k0 / 32][n0 + n]);
                            for (int k = 0; k < 32; k++) {
                                assertThat(tile.integers()[k][n]).isEqualTo(expected[k0 + k][n0 + n]);
                            }
                        }
                    }
                }
            }
        }
    }
}
