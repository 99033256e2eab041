package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tile;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tiles;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Vectors;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * Products on an OpenCL device against sums in double: every form that a device could choose, not only those that this
 * one would, and the edges of each. Padding is NaN everywhere; weights are laid out here once more, from the words of
 * {@link PackedMatrix}.
 */
@Tag("opencl")
class MatmulKernelsTest {

    private static final double WORST = 1e-11;
    private static final float SENTINEL = -12345.678f;
    private static final int GUARD_ROWS = 2;

    private static ClDevice device;
    private static ClQueue queue;
    private static MatmulKernels kernels;
    private final List<ClBuffer> buffers = new ArrayList<>();

    @BeforeAll
    static void open() {
        device = ClDevice.open(TestDevices.choiceOrSkip(), false);
        queue = device.openQueue();
        kernels = new MatmulKernels(device, queue);
    }

    @AfterAll
    static void close() {
        if (device != null) {
            kernels.close();
            queue.close();
            device.close();
        }
    }

    @AfterEach
    void free() {
        buffers.forEach(ClBuffer::close);
    }

    /**
     * A product.
     *
     * @param plan null for the device's own
     * @param size of the numbers of x
     */
    record Product(MatmulPlan plan, int rows, int inputs, int outputs, WeightType type, boolean bias,
            Activation activation, boolean residual, float size) {}

    private static Product product(int rows, int inputs, int outputs, WeightType type) {
        return new Product(null, rows, inputs, outputs, type, true, null, true, 1);
    }

    static Stream<Product> shapes() {
        List<Product> cases = new ArrayList<>();
        for (WeightType type : WeightType.values()) {
            boolean blocks = type.quantized();
            for (int rows : new int[]{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 32, 33, 64, 65, 130}) {
                cases.add(product(rows, blocks ? 64 : 40, 70, type));
            }
            for (int inputs : blocks ? new int[]{32, 64, 96, 1024} : new int[]{1, 7, 8, 15, 31, 33, 64, 129, 1000}) {
                for (int rows : new int[]{1, 6, 19}) {
                    cases.add(new Product(null, rows, inputs, 33, type, false, null, false, 1));
                }
            }
            for (int outputs : new int[]{1, 15, 31, 32, 33, 65, 129, 500}) {
                cases.add(product(1, blocks ? 32 : 24, outputs, type));
                cases.add(product(21, blocks ? 32 : 24, outputs, type));
            }
            for (float size : new float[]{1e15f, 1e-15f}) {
                cases.add(new Product(null, 3, 64, 96, type, true, null, true, size));
                cases.add(new Product(null, 30, 64, 96, type, true, null, true, size));
            }
        }
        return cases.stream();
    }

    static Stream<Product> activations() {
        return Stream.concat(
                Arrays.stream(Activation.values())
                        .flatMap(activation -> Stream.of(
                                new Product(null, 1, 20, 50, WeightType.F32, true, activation, true, 1),
                                new Product(null, 1, 20, 50, WeightType.F32, false, activation, false, 3),
                                new Product(Vectors.of(1, WeightType.F32, 100, 3, 64), 1, 100, 50, WeightType.F32,
                                        true, activation, true, 1))),
                Stream.of(new Product(null, 19, 20, 50, WeightType.F32, true, Activation.GELU, true, 3),
                        new Product(null, 19, 64, 50, WeightType.INT8, false, Activation.GELU_NEW, true, 3)));
    }

    /**
     * Forms that this device would not choose. Not all of them with all types: a driver compiles each form anew, some
     * for each size of a group.
     */
    static Stream<Product> forced() {
        List<Product> cases = new ArrayList<>();
        for (WeightType type : WeightType.values()) {
            int inputs = type.quantized() ? 96 : 83;
            for (int shares : new int[]{1, 3}) {
                for (Tile tile : tiles(type)) {
                    for (int rows : new int[]{1, tile.rows() - 1, tile.rows() + 2}) {
                        cases.add(forced(Tiles.of(tile, inputs, shares), rows, inputs, 161, type));
                    }
                }
                for (int pass : new int[]{1, 2, 4, 8}) {
                    cases.add(forced(Vectors.of(pass, type, inputs, shares, 64), pass * 2 - 1, inputs, 97, type));
                }
            }
            // Groups of the least and the most items, more items than there is work for, as many shares as can be.
            cases.add(forced(Vectors.of(2, type, 1024, 2, 32), 2, 1024, 40, type));
            cases.add(forced(Vectors.of(2, type, 1024, 1, 256), 2, 1024, 40, type));
            cases.add(forced(new Vectors(2, 256, 32 / Vectors.portion(2, type), 1), 2, 32, 40, type));
            cases.add(forced(Vectors.of(2, type, 1024, 1000, 64), 2, 1024, 40, type));
            cases.add(forced(Tiles.of(Tile.SMALL, 1024, 1000), 20, 1024, 40, type));
        }
        return cases.stream();
    }

    private static List<Tile> tiles(WeightType type) {
        return switch (type) {
            case F32, INT4 -> List.of(Tile.LARGE, Tile.SMALL);
            case F16, INT8 -> List.of(Tile.MEDIUM, Tile.SMALL);
            case BF16 -> List.of(Tile.SMALL);
        };
    }

    private static Product forced(MatmulPlan plan, int rows, int inputs, int outputs, WeightType type) {
        return new Product(plan, rows, inputs, outputs, type, true, null, true, 1);
    }

    @ParameterizedTest
    @MethodSource({"shapes", "activations", "forced"})
    void isCloseToSumsInDouble(Product c) {
        Random random = new Random(c.toString().hashCode());
        double[][] x = random(random, c.rows, c.inputs, c.size);
        Weights w = Weights.random(random, c.type, c.inputs, c.outputs);
        double[] bias = random(random, 1, c.outputs, c.size)[0];
        double[][] residual = random(random, c.rows, c.outputs, c.size);

        float[] actual = run(c, x, w, bias, residual);

        int stride = Tensor.roundUp(c.outputs);
        double error = 0;
        double norm = 0;
        for (int r = 0; r < c.rows; r++) {
            for (int n = 0; n < c.outputs; n++) {
                double expected = 0;
                double magnitude = 0;
                for (int k = 0; k < c.inputs; k++) {
                    expected += x[r][k] * w.values[k][n];
                    magnitude += Math.abs(x[r][k] * w.values[k][n]);
                }
                expected += c.bias ? bias[n] : 0;
                expected = c.activation == null ? expected : activate(c.activation, expected);
                expected += c.residual ? residual[r][n] : 0;
                double difference = expected - actual[r * stride + n];
                error += difference * difference;
                norm += expected * expected;
                assertThat(Math.abs(difference)).as("row %d, column %d", r, n)
                        .isLessThanOrEqualTo(2e-6 * (magnitude + 4 * c.size));
            }
        }
        assertThat(error / norm).isLessThan(WORST);
        for (int i = c.rows * stride; i < actual.length; i++) {
            assertThat(actual[i]).as("guard row").isEqualTo(SENTINEL);
        }
    }

    static Stream<Product> races() {
        return Stream.of(forced(Tiles.of(Tile.LARGE, 96, 1), 130, 96, 129, WeightType.INT4),
                forced(Tiles.of(Tile.MEDIUM, 96, 2), 70, 96, 129, WeightType.F16),
                forced(Tiles.of(Tile.SMALL, 96, 3), 70, 96, 129, WeightType.F32),
                forced(Vectors.of(1, WeightType.F32, 1024, 1, 256), 1, 1024, 129, WeightType.F32),
                forced(Vectors.of(2, WeightType.BF16, 1024, 1, 256), 2, 1024, 129, WeightType.BF16),
                forced(Vectors.of(8, WeightType.INT4, 1024, 3, 64), 8, 1024, 129, WeightType.INT4));
    }

    @ParameterizedTest
    @MethodSource("races")
    void hasTheSameBitsInEveryRun(Product c) {
        Random random = new Random(1);
        double[][] x = random(random, c.rows, c.inputs, 1);
        Weights w = Weights.random(random, c.type, c.inputs, c.outputs);
        DeviceTensor xs = tensor(x);
        DeviceMatrix weights = matrix(w);
        DeviceVector bias = vector(random(random, 1, c.outputs, 1)[0]);
        DeviceTensor residual = tensor(random(random, c.rows, c.outputs, 1));
        DeviceTensor out = empty(c.rows, c.outputs);
        float[] first = null;
        for (int i = 0; i < 100; i++) {
            kernels.run(c.plan, xs, c.rows, weights, bias, c.activation, residual, out);
            float[] now = read(out);
            // Padding holds sums of NaN, whose bits mean nothing.
            clearPadding(now, c.outputs);
            first = first == null ? now : first;
            assertThat(now).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void infinitiesAndNaNFlow(WeightType type) {
        for (int rows : new int[]{3, 20}) {
            Random random = new Random(2);
            double[][] x = random(random, rows, 64, 1);
            x[0][5] = Double.POSITIVE_INFINITY;
            x[1][60] = Double.NaN;
            Weights w = Weights.random(random, type, 64, 40);
            Product c = new Product(null, rows, 64, 40, type, false, null, false, 1);
            float[] actual = run(c, x, w, null, null);
            for (int n = 0; n < 40; n++) {
                assertThat(actual[n]).isEqualTo(Float.valueOf((float) (Double.POSITIVE_INFINITY * w.values[5][n])));
                assertThat(actual[64 + n]).isNaN();
                assertThat(actual[128 + n]).isFinite();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void activationsAtTheirLimits(Activation activation) {
        double[][] x = {{Double.NEGATIVE_INFINITY, -1e30, -200, -90, -20, -12, -0.0, 1e-30, 12, 100, 1e30,
            Double.POSITIVE_INFINITY, Double.NaN}};
        int count = x[0].length;
        // Bias carries them through a product with nothing.
        Weights w = Weights.random(new Random(3), WeightType.F32, 1, count);
        Product c = new Product(null, 1, 1, count, WeightType.F32, true, activation, false, 1);
        float[] actual = run(c, new double[][]{{0}}, w, x[0], null);
        for (int i = 0; i < count; i++) {
            double limit = switch (activation) {
                case TANH -> Math.tanh(x[0][i]);
                default -> x[0][i] < -100 ? 0 : activate(activation, x[0][i]);
            };
            if (Double.isNaN(limit) || Double.isInfinite((float) limit)) {
                assertThat(actual[i]).as("of %s", x[0][i]).isEqualTo(Float.valueOf((float) limit));
            } else {
                assertThat((double) actual[i]).as("of %s", x[0][i])
                        .isCloseTo(limit, Offset.offset(1e-6 * Math.max(1, Math.abs(limit))));
            }
        }
    }

    @Test
    void nothingOfThePaddingOfXCounts() {
        for (int rows : new int[]{1, 20}) {
            Product c = new Product(null, rows, 1, 1, WeightType.F32, false, null, false, 1);
            float[] actual = run(c, random(new Random(4), rows, 1, 1),
                    Weights.random(new Random(5), WeightType.F32, 1, 1), null, null);
            for (int r = 0; r < rows; r++) {
                assertThat(actual[r * 32]).isFinite();
            }
        }
    }

    private float[] run(Product c, double[][] x, Weights w, double[] bias, double[][] residual) {
        DeviceTensor out = empty(c.rows + GUARD_ROWS, c.outputs);
        DeviceVector b = c.bias ? vector(bias) : null;
        DeviceTensor add = c.residual ? tensor(residual) : null;
        if (c.plan == null) {
            kernels.run(tensor(x), c.rows, matrix(w), b, c.activation, add, out);
        } else {
            kernels.run(c.plan, tensor(x), c.rows, matrix(w), b, c.activation, add, out);
        }
        return read(out);
    }

    private DeviceTensor tensor(double[][] values) {
        int columns = values[0].length;
        int stride = Tensor.roundUp(columns);
        float[] data = new float[values.length * stride];
        Arrays.fill(data, Float.NaN);
        for (int r = 0; r < values.length; r++) {
            for (int i = 0; i < columns; i++) {
                data[r * stride + i] = (float) values[r][i];
            }
        }
        return new DeviceTensor(upload(data), values.length, columns);
    }

    private DeviceTensor empty(int rows, int columns) {
        float[] data = new float[rows * Tensor.roundUp(columns)];
        Arrays.fill(data, SENTINEL);
        return new DeviceTensor(upload(data), rows, columns);
    }

    private DeviceVector vector(double[] values) {
        float[] data = new float[Tensor.roundUp(values.length)];
        for (int i = 0; i < values.length; i++) {
            data[i] = (float) values[i];
        }
        return new DeviceVector(upload(data), values.length);
    }

    private DeviceMatrix matrix(Weights w) {
        ClBuffer buffer = device.allocate(4L * w.words.length, "weights");
        buffers.add(buffer);
        queue.write(buffer, 0, w.words, 0, w.words.length);
        return new DeviceMatrix(buffer, w.type, w.values.length, w.values[0].length);
    }

    private ClBuffer upload(float[] data) {
        ClBuffer buffer = device.allocate(4L * data.length, "floats");
        buffers.add(buffer);
        queue.write(buffer, 0, data, 0, data.length);
        return buffer;
    }

    private static float[] read(DeviceTensor tensor) {
        float[] data = new float[tensor.rows() * tensor.stride()];
        queue.read(tensor.data(), 0, data, 0, data.length);
        return data;
    }

    private static void clearPadding(float[] data, int columns) {
        int stride = Tensor.roundUp(columns);
        for (int i = 0; i < data.length; i++) {
            data[i] = i % stride < columns ? data[i] : 0;
        }
    }

    private static double[][] random(Random random, int rows, int columns, float size) {
        double[][] x = new double[rows][columns];
        for (double[] row : x) {
            for (int i = 0; i < columns; i++) {
                row[i] = (float) random.nextGaussian() * size;
            }
        }
        return x;
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case GELU -> x * normalDistribution(x);
            case GELU_NEW -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case RELU -> Math.max(x, 0);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
        };
    }

    /** One half plus the sum of x^(2n+1) / (1 * 3 * ... * (2n + 1)) times the density. */
    private static double normalDistribution(double x) {
        if (Math.abs(x) > 9) {
            return x > 0 ? 1 : 0;
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 300; n++) {
            term *= x * x / (2 * n + 1);
            sum += term;
        }
        return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    /**
     * A packed matrix.
     *
     * @param words  as {@link PackedMatrix} has them
     * @param values inputs x outputs
     */
    record Weights(WeightType type, int[] words, double[][] values) {

        static Weights random(Random random, WeightType type, int inputs, int outputs) {
            int[] words = new int[(int) (PackedMatrix.byteSize(type, inputs, outputs) / 4)];
            if (type.quantized()) {
                // Integers of padding are the type's zero.
                Arrays.fill(words, type == WeightType.INT8 ? 0x80808080 : 0x88888888);
            }
            double[][] values = new double[inputs][outputs];
            int panelWords = words.length / Math.ceilDiv(outputs, 32);
            for (int k = 0; k < inputs; k++) {
                for (int n = 0; n < outputs; n++) {
                    int panel = n / 32 * panelWords;
                    int c = n % 32;
                    float value = (float) random.nextGaussian();
                    switch (type) {
                        case F32 -> words[panel + k * 32 + c] = Float.floatToRawIntBits(value);
                        case F16 -> {
                            short half = Float.floatToFloat16(value * (k % 3 == 0 ? 1e-6f : 1));
                            value = Float.float16ToFloat(half);
                            setHalf(words, panel + k * 16, c, half);
                        }
                        case BF16 -> {
                            int bits = Float.floatToRawIntBits(value) & 0xFFFF_0000;
                            value = Float.intBitsToFloat(bits);
                            setHalf(words, panel + k * 16, c, (short) (bits >>> 16));
                        }
                        case INT8, INT4 -> {
                            int bits = type == WeightType.INT8 ? 8 : 4;
                            int perWord = 32 / bits;
                            int block = panel + k / 32 * (16 + 32 / perWord * 32);
                            float scale = 1f / 128 + (n + k / 32) % 7 / 64f;
                            setHalf(words, block, c, (short) (Float.floatToRawIntBits(scale) >>> 16));
                            int q = type == WeightType.INT8 ? random.nextInt(-127, 128) : random.nextInt(-8, 8);
                            int at = block + 16 + k % 32 / perWord * 32 + c;
                            int shift = (k % perWord * bits + 8) % 32;
                            int mask = (1 << bits) - 1;
                            words[at] = words[at] & ~(mask << shift) | q + (1 << bits - 1) << shift;
                            value = scale * q;
                        }
                    }
                    values[k][n] = value;
                }
            }
            return new Weights(type, words, values);
        }

        /** Column c of a row of 16 words. */
        private static void setHalf(int[] words, int row, int c, short half) {
            int at = row + c % 16;
            words[at] = c < 16 ? words[at] & 0xFFFF_0000 | half & 0xFFFF : words[at] & 0xFFFF | half << 16;
        }
    }
}
