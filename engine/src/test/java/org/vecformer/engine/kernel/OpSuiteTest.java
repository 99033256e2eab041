package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;

/** The op suite on the CPU, where every result also has the same bits as the scalar kernels'; and what only the CPU has. */
@Tag("width")
class OpSuiteTest extends OpSuite {

    private static Engine tested;
    private static Engine scalar;

    @BeforeAll
    static void open() {
        tested = TestBackends.open(3);
        scalar = TestBackends.openScalar();
    }

    @AfterAll
    static void close() {
        tested.close();
        scalar.close();
    }

    @Override
    Backend tested() {
        return tested.compute();
    }

    @Override
    void check(Function<OpLab, Tensor> op, float[][] tested) {
        OpLab plain = lab(scalar.compute());
        float[][] expected = plain.numbers(op.apply(plain));
        for (int r = 0; r < expected.length; r++) {
            for (int i = 0; i < expected[r].length; i++) {
                assertThat(Float.floatToRawIntBits(tested[r][i])).as("row %d, column %d, tested against scalar", r, i)
                        .isEqualTo(Float.floatToRawIntBits(expected[r][i]));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rowLengths")
    void softmaxMasksMinusInfinity(int n) {
        Random random = new Random(n);
        double[] x = random(random, 1, n, 8)[0];
        for (int i = 0; i < n - 1; i += 3) {
            x[i] = Double.NEGATIVE_INFINITY;
        }
        double[] expected = ReferenceOps.softmax(Arrays.stream(x).map(v -> v * 0.5f).toArray());
        float[][] actual = new float[2][];
        float[] sums = new float[2];
        for (int i = 0; i < 2; i++) {
            actual[i] = floats(x, Tensor.roundUp(n) + 32);
            Arrays.fill(actual[i], Tensor.roundUp(n), actual[i].length, OpLab.SENTINEL);
            sums[i] = kernels(i).softmaxNumerators(actual[i], 0, n, 0.5f);
        }
        for (int i = 0; i < n; i++) {
            assertThat(actual[0][i] / sums[0]).isCloseTo((float) expected[i],
                    Offset.offset(1e-6f));
            assertThat(actual[0][i]).isEqualTo(actual[1][i]);
            assertThat(x[i] == Double.NEGATIVE_INFINITY).isEqualTo(actual[0][i] == 0);
        }
        assertThat(sums[0]).isEqualTo(sums[1]);
        for (int i = Tensor.roundUp(n); i < actual[0].length; i++) {
            assertThat(actual[0][i]).isEqualTo(OpLab.SENTINEL);
        }
    }

    /** Every 16-bit pattern widens as Java's own conversion says, subnormals too; halves are finite by contract. */
    @Test
    void widensEveryHalfAndBfloat() {
        for (WeightType type : new WeightType[]{WeightType.F16, WeightType.BF16}) {
            int inputs = 65536 / 32;
            MemorySegment data = arena.allocate(PackedMatrix.byteSize(type, inputs, 32), 64);
            for (int i = 0; i < 65536 / 2; i++) {
                data.setAtIndex(JAVA_INT, i, 2 * i | (2 * i + 1) << 16);
            }
            MemorySegment wide = arena.allocate(65536 * 4, 64);
            kernels(0).widen(new PackedMatrix(data, type, inputs, 32), 0, wide);
            for (int word = 0; word < 65536 / 2; word++) {
                int row = word / 16;
                int column = word % 16;
                for (int half = 0; half < 2; half++) {
                    int bits = 2 * word + half;
                    float expected = type == WeightType.F16
                            ? Float.float16ToFloat((short) bits)
                            : Float.intBitsToFloat(bits << 16);
                    if (type == WeightType.F16 && !Float.isFinite(expected)) {
                        continue;
                    }
                    float actual = wide.getAtIndex(JAVA_FLOAT, row * 32L + column + 16 * half);
                    assertThat(Float.floatToIntBits(actual)).as("%s %04x", type, bits)
                            .isEqualTo(Float.floatToIntBits(expected));
                }
            }
        }
    }

    /** Every integer at every place of a word with scales from subnormal to huge, zero and negative: exactly scale * q. */
    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"INT8", "INT4"})
    void widensEveryIntegerExactly(WeightType type) {
        int least = type == WeightType.INT8 ? -127 : -8;
        int most = type == WeightType.INT8 ? 127 : 7;
        int inputs = 256;
        float[] scales = {1, -1, 0, 0x1.fep99f, -0x1.fep99f, 0x1.02p-133f, 0x1p-133f, -0x1.82p-126f, 0x1.a4p-7f,
            0x1.fep-3f};
        PackedMatrix m = new PackedMatrix(arena.allocate(PackedMatrix.byteSize(type, inputs, 64), 64), type, inputs,
                64);
        for (int n = 0; n < 64; n++) {
            for (int k = 0; k < inputs; k++) {
                QuantizedPanels.setScale(m, k, n, scales[(n + k / 32) % scales.length]);
                QuantizedPanels.setInteger(m, k, n, least + (k + 3 * n) % (most - least + 1));
            }
        }
        MemorySegment wide = arena.allocate(inputs * 32 * 4, 64);
        for (int panel = 0; panel < 2; panel++) {
            kernels(0).widen(m, panel, wide);
            for (int k = 0; k < inputs; k++) {
                for (int c = 0; c < 32; c++) {
                    int n = 32 * panel + c;
                    float scale = Narrow.lowBfloat(Narrow.toBfloat(scales[(n + k / 32) % scales.length]));
                    float expected = scale * (least + (k + 3 * n) % (most - least + 1));
                    assertThat(wide.getAtIndex(JAVA_FLOAT, k * 32L + c)).as("%s input %d output %d", type, k, n)
                            .isEqualTo(expected == 0 ? 0f : expected);
                }
            }
        }
    }

    @Test
    void roundsToBfloatAsThereIsNoNearerOne() {
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            float x = Float.intBitsToFloat(random.nextInt());
            float rounded = Narrow.lowBfloat(Narrow.toBfloat(x));
            if (Float.isNaN(x)) {
                assertThat(rounded).isNaN();
            } else if (Float.isFinite(rounded)) {
                double error = Math.abs((double) rounded - x);
                for (int step : new int[]{-0x10000, 0x10000}) {
                    float neighbour = Float.intBitsToFloat(Float.floatToRawIntBits(rounded) + step);
                    if (Float.isFinite(neighbour)) {
                        assertThat(error).isLessThanOrEqualTo(Math.abs((double) neighbour - x));
                    }
                }
            }
        }
    }

    private static CpuKernels kernels(int i) {
        return (i == 0 ? tested : scalar).cpu().kernels();
    }

    /** Numbers with something behind them that must not matter. */
    private static float[] floats(double[] values, int length) {
        float[] floats = new float[length];
        Arrays.fill(floats, 77);
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
