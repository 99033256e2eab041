package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.Tensor;

/** Embeddings, layer norms and the gathering of rows on a device, against plain loops. */
@Tag("opencl")
class RowKernelsTest {

    /** What no kernel writes. */
    private static final float GUARD = 12345.5f;

    private final ClDevice device = ClDevice.open(TestDevices.choiceOrSkip(), false);
    private ClQueue queue;
    private RowKernels kernels;
    private final Random random = new Random(3);

    @BeforeEach
    void open() {
        queue = device.openQueue();
        kernels = new RowKernels(device, queue);
    }

    /** Buffers of a test are closed with the device; what the kernels had must be gone before that. */
    @AfterEach
    void close() {
        kernels.close();
        assertThat(device.live().kernels()).isZero();
        queue.close();
        assertThatThrownBy(device::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("test");
    }

    private ClBuffer buffer(float[] numbers) {
        ClBuffer buffer = device.allocate(Math.max(4, 4L * numbers.length), "test");
        queue.write(buffer, 0, numbers, 0, numbers.length);
        return buffer;
    }

    /** One more row and the room behind each hold the guard. */
    private DeviceTensor tensor(float[][] rows, int columns) {
        DeviceTensor x = new DeviceTensor(device.allocate(DeviceTensor.byteSize(rows.length + 1, columns), "test"),
                rows.length + 1, columns);
        queue.fill(x.data(), 0, x.data().bytes(), GUARD);
        for (int r = 0; r < rows.length; r++) {
            queue.write(x.data(), x.offset(r), rows[r], 0, columns);
        }
        return x;
    }

    /** The first rows; behind them and behind their columns the guard must still be. */
    private float[][] read(DeviceTensor x, int rows) {
        float[] all = new float[x.rows() * x.stride()];
        queue.read(x.data(), 0, all, 0, all.length);
        float[][] read = new float[rows][];
        for (int r = 0; r < rows; r++) {
            read[r] = Arrays.copyOfRange(all, r * x.stride(), r * x.stride() + x.columns());
            for (int c = x.columns(); c < x.stride(); c++) {
                assertThat(all[r * x.stride() + c]).isEqualTo(GUARD);
            }
        }
        for (int i = rows * x.stride(); i < all.length; i++) {
            assertThat(all[i]).isEqualTo(GUARD);
        }
        return read;
    }

    private float[][] gaussians(int rows, int columns, double mean) {
        float[][] x = new float[rows][columns];
        for (float[] row : x) {
            for (int c = 0; c < columns; c++) {
                row[c] = (float) (mean + random.nextGaussian());
            }
        }
        return x;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 67, 257, 768, 5000})
    void layerNorms(int columns) {
        for (int rows : new int[]{1, 17}) {
            for (double mean : new double[]{0, 1000}) {
                float[][] x = gaussians(rows, columns, mean);
                float[][] vectors = gaussians(2, columns, 0.5);
                DeviceVector gain = new DeviceVector(buffer(Arrays.copyOf(vectors[0], Tensor.roundUp(columns))),
                        columns);
                DeviceVector bias = new DeviceVector(buffer(Arrays.copyOf(vectors[1], Tensor.roundUp(columns))),
                        columns);
                DeviceTensor from = tensor(x, columns);
                DeviceTensor out = tensor(x, columns);
                queue.fill(out.data(), 0, out.data().bytes(), GUARD);
                kernels.layerNorm(from, rows, gain, bias, 1e-5f, out);
                float[][] actual = read(out, rows);
                kernels.layerNorm(from, rows, gain, bias, 1e-5f, from);
                assertThat(read(from, rows)).as("in place").isDeepEqualTo(actual);
                for (int r = 0; r < rows; r++) {
                    double average = 0;
                    for (float number : x[r]) {
                        average += number / (double) columns;
                    }
                    double variance = 0;
                    for (float number : x[r]) {
                        variance += (number - average) * (number - average) / columns;
                    }
                    for (int c = 0; c < columns; c++) {
                        double expected = (x[r][c] - average) / Math.sqrt(variance + 1e-5) * vectors[0][c]
                                + vectors[1][c];
                        assertThat((double) actual[r][c]).as("row %d, column %d, mean %s", r, c, mean)
                                .isCloseTo(expected, within(mean == 0 ? 1e-5 : 2e-3));
                    }
                }
            }
        }
    }

    @Test
    void theSameBitsEveryTime() {
        float[][] x = gaussians(40, 768, 3);
        DeviceVector vector = new DeviceVector(buffer(gaussians(1, 768, 0)[0]), 768);
        DeviceTensor from = tensor(x, 768);
        DeviceTensor out = tensor(gaussians(40, 768, 0), 768);
        kernels.layerNorm(from, 40, vector, vector, 1e-5f, out);
        float[][] expected = read(out, 40);
        for (int i = 0; i < 100; i++) {
            queue.fill(out.data(), 0, out.offset(40), GUARD);
            kernels.layerNorm(from, 40, vector, vector, 1e-5f, out);
            assertThat(read(out, 40)).isDeepEqualTo(expected);
        }
    }

    /** Each type as a table of words together with two other ones, in the layout that {@code PackedMatrix} documents. */
    @ParameterizedTest
    @EnumSource(WeightType.class)
    void embeds(WeightType type) {
        int columns = type.quantized() ? 96 : 67;
        WeightType[] types = WeightType.values();
        WeightType other = types[(type.ordinal() + 1) % types.length];
        other = other.quantized() && columns % 32 != 0 ? WeightType.F32 : other;
        float[][] words = new float[100][columns];
        float[][] positions = new float[40][columns];
        float[][] kinds = new float[2][columns];
        DeviceMatrix wordTable = table(type, words);
        DeviceMatrix positionTable = table(other, positions);
        DeviceMatrix kindTable = table(WeightType.BF16, kinds);
        int[] ids = {99, 0, 31, 32, 63, 64, 17};
        int[] at = {0, 39, 31, 32, 5, 5, 1};
        int[] ofKind = {-1, 0, 1, -1, 1, 0, 0};
        float[][] expected = new float[7][columns];
        for (int r = 0; r < 7; r++) {
            for (int c = 0; c < columns; c++) {
                expected[r][c] = words[ids[r]][c] + positions[at[r]][c];
                expected[r][c] += ofKind[r] < 0 ? 0 : kinds[ofKind[r]][c];
            }
        }
        DeviceTensor out = tensor(new float[7][columns], columns);
        kernels.embed(ids, at, ofKind, 7, wordTable, positionTable, kindTable, out);
        assertThat(read(out, 7)).isDeepEqualTo(expected);
        // Without token types, and into fewer rows than there are.
        Arrays.fill(ofKind, -1);
        queue.fill(out.data(), 0, out.data().bytes(), GUARD);
        kernels.embed(ids, at, ofKind, 2, wordTable, positionTable, null, out);
        float[][] two = read(out, 2);
        for (int c = 0; c < columns; c++) {
            assertThat(two[1][c]).isEqualTo(words[0][c] + positions[39][c]);
        }
        assertThatThrownBy(() -> kernels.embed(new int[]{100}, at, ofKind, 1, wordTable, positionTable, null, out))
                .isInstanceOf(IndexOutOfBoundsException.class).hasMessageContaining("100");
    }

    /** Random numbers that the type can hold, told by {@code columns}: those of output n are row n. */
    private DeviceMatrix table(WeightType type, float[][] columns) {
        int outputs = columns.length;
        int inputs = columns[0].length;
        int panels = Math.ceilDiv(outputs, 32);
        int panelWords = type.quantized()
                ? inputs / 32 * 32 * type.blockBytes() / 4
                : inputs * type.blockBytes() / 4;
        int[] words = new int[panels * panelWords];
        for (int n = 0; n < outputs; n++) {
            int c = n % 32;
            for (int k = 0; k < inputs; k++) {
                int row = n / 32 * panelWords + k * type.blockBytes() / 4;
                float x = (float) random.nextGaussian();
                switch (type) {
                    case F32 -> words[row + c] = Float.floatToRawIntBits(x);
                    case F16 -> {
                        short half = Float.floatToFloat16(x);
                        words[row + c % 16] |= (half & 0xFFFF) << c / 16 * 16;
                        x = Float.float16ToFloat(half);
                    }
                    case BF16 -> {
                        int bits = Float.floatToRawIntBits(x) >>> 16;
                        words[row + c % 16] |= bits << c / 16 * 16;
                        x = Float.intBitsToFloat(bits << 16);
                    }
                    case INT8, INT4 -> {
                        int bits = type == WeightType.INT8 ? 8 : 4;
                        int block = n / 32 * panelWords + k / 32 * (16 + 32 * bits);
                        float scale = (1 + n % 3) / 64f;
                        if (k % 32 == 0) {
                            words[block + c % 16] |= Float.floatToRawIntBits(scale) >>> 16 << c / 16 * 16;
                        }
                        int q = random.nextInt(1 << bits) - (1 << bits - 1);
                        int inWord = 32 / bits;
                        int at = block + 16 + k % 32 / inWord * 32 + c;
                        words[at] |= Integer.rotateLeft(q + (1 << bits - 1) << k % inWord * bits, 8);
                        x = scale * q;
                    }
                }
                columns[n][k] = x;
            }
        }
        ClBuffer data = device.allocate(4L * words.length, "test");
        queue.write(data, 0, words, 0, words.length);
        return new DeviceMatrix(data, type, inputs, outputs);
    }

    @Test
    void gathersRows() {
        float[][] x = gaussians(9, 77, 0);
        DeviceTensor out = tensor(new float[5][77], 77);
        queue.fill(out.data(), 0, out.data().bytes(), GUARD);
        DeviceTensor from = tensor(x, 77);
        kernels.gatherRows(from, new int[]{8, 0, 3, 3}, 4, out);
        assertThat(read(out, 4)).isDeepEqualTo(new float[][]{x[8], x[0], x[3], x[3]});
        assertThatThrownBy(() -> kernels.gatherRows(from, new int[]{10}, 1, out))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void wrongShapesAreRefused() {
        DeviceTensor x = tensor(new float[3][8], 8);
        DeviceTensor wide = tensor(new float[3][9], 9);
        DeviceVector vector = new DeviceVector(buffer(new float[32]), 8);
        assertThatThrownBy(() -> kernels.layerNorm(x, 3, vector, vector, 0, wide))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("4 x 9");
        assertThatThrownBy(() -> kernels.layerNorm(x, 5, vector, vector, 0, x))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("5 rows");
        assertThatThrownBy(() -> kernels.gatherRows(x, new int[]{1}, 1, wide))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
