package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * One list of op cases. The backend under test must be close to a reference that accumulates in double, have the same
 * bits as the scalar kernels, and write nothing outside its rows.
 */
@Tag("width")
class OpSuiteTest {

    private static final double WORST = 1e-11;
    private static final float SENTINEL = -12345.678f;
    private static final int GUARD_ROWS = 2;

    private static Engine tested;
    private static Engine scalar;
    private final Arena arena = Arena.ofShared();
    private final List<Ops> opened = new ArrayList<>();

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

    @AfterEach
    void free() {
        opened.forEach(Ops::close);
        arena.close();
    }

    /** A matrix product. Large magnitudes: inputs are multiplied with {@code size}. */
    record Product(int rows, int inputs, int outputs, WeightType type, boolean bias, Activation activation,
            boolean residual,
            float size) {}

    static Stream<Product> products() {
        List<Product> cases = new ArrayList<>();
        for (WeightType type : WeightType.values()) {
            boolean blocks = type.quantized();
            for (int rows : new int[]{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 32, 33}) {
                cases.add(new Product(rows, blocks ? 64 : 40, 70, type, true, null, true, 1));
            }
            for (int inputs : blocks
                    ? new int[]{32, 64, 96, 1024}
                    : new int[]{1, 2, 7, 8, 15, 16, 17, 31, 33, 129, 1000}) {
                cases.add(new Product(1, inputs, 33, type, false, null, false, 1));
                cases.add(new Product(6, inputs, 31, type, true, null, false, 1));
            }
            for (int outputs : new int[]{1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129, 500}) {
                cases.add(new Product(1, blocks ? 32 : 24, outputs, type, true, null, true, 1));
                cases.add(new Product(4, blocks ? 32 : 24, outputs, type, false, null, true, 1));
            }
            cases.add(new Product(5, 64, 96, type, true, null, true, 1e15f));
            cases.add(new Product(5, 64, 96, type, true, null, true, 1e-15f));
        }
        for (Activation activation : Activation.values()) {
            cases.add(new Product(1, 20, 50, WeightType.F32, true, activation, true, 1));
            cases.add(new Product(9, 20, 50, WeightType.F32, true, activation, false, 3));
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("products")
    void matmul(Product c) {
        // Of its text: an enum's own hash code is another one in each run, and numbers must be the same in all.
        Random random = new Random(c.toString().hashCode());
        double[][] x = random(random, c.rows, c.inputs, c.size);
        PackedMatrix w = matrix(random, c.type, c.inputs, c.outputs);
        double[] bias = random(random, 1, c.outputs, c.size)[0];
        double[][] residual = random(random, c.rows, c.outputs, c.size);

        double[][] expected = ReferenceOps.matmul(x, unpack(w), c.bias ? bias : null, c.activation,
                c.residual ? residual : null);
        HeapTensor[] actual = new HeapTensor[2];
        for (int i = 0; i < 2; i++) {
            actual[i] = guarded(c.rows, c.outputs);
            ops(i).matmul(tensor(x), c.rows, w, c.bias ? vector(bias) : null, c.activation,
                    c.residual ? tensor(residual) : null,
                    actual[i]);
        }
        assertClose(expected, actual[0], c.rows);
        assertSameBits(actual, c.rows);
    }

    @ParameterizedTest
    @MethodSource("rowLengths")
    void layerNorm(int n) {
        Random random = new Random(n);
        for (float size : new float[]{1, 1e6f}) {
            double[][] x = random(random, 5, n, size);
            double[] gain = random(random, 1, n, 1)[0];
            double[] bias = random(random, 1, n, 1)[0];
            double[][] expected = Arrays.stream(x).map(row -> ReferenceOps.layerNorm(row, gain, bias, 1e-5f))
                    .toArray(double[][]::new);
            HeapTensor[] actual = new HeapTensor[2];
            for (int i = 0; i < 2; i++) {
                actual[i] = guarded(5, n);
                ops(i).layerNorm(tensor(x), 5, vector(gain), vector(bias), 1e-5f, actual[i]);
            }
            assertClose(expected, actual[0], 5);
            assertSameBits(actual, 5);
        }
    }

    static Stream<Integer> rowLengths() {
        return Stream.of(1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 768, 1000);
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
            actual[i] = Arrays.copyOf(tensor(new double[][]{x}).data(), Tensor.roundUp(n) + 32);
            Arrays.fill(actual[i], Tensor.roundUp(n), actual[i].length, SENTINEL);
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
            assertThat(actual[0][i]).isEqualTo(SENTINEL);
        }
    }

    /** Sequences with a past, attending in one batch. */
    record Attention(int heads, int headSize, int[] past, int[] rows) {}

    static Stream<Attention> attentions() {
        List<Attention> cases = new ArrayList<>();
        for (int headSize : new int[]{1, 3, 16, 31, 32, 33, 64, 80}) {
            cases.add(new Attention(3, headSize, new int[]{0}, new int[]{9}));
            cases.add(new Attention(2, headSize, new int[]{45}, new int[]{1}));
        }
        for (int past : new int[]{0, 1, 30, 31, 32, 33, 63, 64, 200}) {
            for (int rows : new int[]{1, 2, 7, 8, 9, 33, 70}) {
                cases.add(new Attention(2, 20, new int[]{past}, new int[]{rows}));
            }
        }
        cases.add(new Attention(4, 8, new int[]{0, 17, 31, 64, 5}, new int[]{3, 1, 40, 1, 9}));
        cases.add(new Attention(1, 64, new int[]{100, 0}, new int[]{1, 1}));
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("attentions")
    void attention(Attention c) {
        Random random = new Random(c.heads * 31 + c.headSize);
        int hidden = c.heads * c.headSize;
        int sequences = c.rows.length;
        int total = Arrays.stream(c.rows).sum();
        float scale = (float) (1 / Math.sqrt(c.headSize));
        double[][][] all = new double[sequences][][];
        for (int s = 0; s < sequences; s++) {
            all[s] = random(random, c.past[s] + c.rows[s], 3 * hidden, 1.5f);
        }
        HeapTensor[] actual = new HeapTensor[2];
        for (int i = 0; i < 2; i++) {
            KeyValuePages cache = new KeyValuePages(arena, 40, 2, c.heads, c.headSize, WeightType.F32);
            // Large numbers in all that nobody has written: whoever reads it, shows it.
            for (int page = 0; page < 40; page++) {
                cache.commit(page);
                for (long at = 0; at < cache.memory()[page].byteSize(); at += 4) {
                    cache.memory()[page].set(JAVA_FLOAT, at, at % 8 == 0 ? 1e30f : -1e30f);
                }
            }
            Ops ops = ops(i);
            PackedBatch batch = new PackedBatch(sequences);
            int nextPage = 0;
            for (int s = 0; s < sequences; s++) {
                batch.pages[s] = new int[Math.ceilDiv(c.past[s] + c.rows[s], 32)];
                for (int p = 0; p < batch.pages[s].length; p++) {
                    batch.pages[s][p] = 39 - nextPage++;
                }
            }
            for (int s = 0; s < sequences; s++) {
                fillPast(ops, cache, batch.pages[s], all[s], c.past[s], hidden);
            }
            batch.sequences = sequences;
            double[][] qkv = new double[total][];
            for (int s = 0; s < sequences; s++) {
                batch.past[s] = c.past[s];
                batch.starts[s + 1] = batch.starts[s] + c.rows[s];
                System.arraycopy(all[s], c.past[s], qkv, batch.starts[s], c.rows[s]);
            }
            actual[i] = guarded(total, hidden);
            ops.attention(tensor(qkv), batch, cache, 1, scale, actual[i], null);
        }
        double[][] expected = new double[total][hidden];
        int row = 0;
        for (int s = 0; s < sequences; s++) {
            for (int h = 0; h < c.heads; h++) {
                double[][] q = slice(all[s], c.past[s], h * c.headSize, c.headSize);
                double[][] k = slice(all[s], 0, hidden + h * c.headSize, c.headSize);
                double[][] v = slice(all[s], 0, 2 * hidden + h * c.headSize, c.headSize);
                double[][] out = ReferenceOps.attention(q, k, v, c.past[s], scale);
                for (int r = 0; r < out.length; r++) {
                    System.arraycopy(out[r], 0, expected[row + r], h * c.headSize, c.headSize);
                }
            }
            row += c.rows[s];
        }
        assertClose(expected, actual[0], total);
        assertSameBits(actual, total);
    }

    /** An encoder's sequences, whose rows see all of it, with a decoder's between them in one batch. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 9, 31, 32, 33, 40, 63, 64, 65, 130})
    void attentionToAll(int length) {
        Random random = new Random(length);
        int[] rows = {length, 5, 40, length, 1};
        boolean[] causal = {false, true, false, true, false};
        int heads = 2;
        int headSize = 20;
        int hidden = heads * headSize;
        int total = Arrays.stream(rows).sum();
        double[][] qkv = random(random, total, 3 * hidden, 1.5f);
        HeapTensor[] actual = new HeapTensor[2];
        for (int i = 0; i < 2; i++) {
            KeyValuePages pages = new KeyValuePages(arena, 20, 1, heads, headSize, WeightType.F32);
            PackedBatch batch = new PackedBatch(rows.length);
            int page = 0;
            for (int s = 0; s < rows.length; s++) {
                batch.starts[s + 1] = batch.starts[s] + rows[s];
                batch.seenByAll[s] = causal[s] ? 0 : rows[s];
                batch.pages[s] = new int[Math.ceilDiv(rows[s], 32)];
                for (int p = 0; p < batch.pages[s].length; p++) {
                    batch.pages[s][p] = page;
                    pages.commit(page);
                    pages.memory()[page].fill((byte) 0x7A);
                    page++;
                }
            }
            batch.sequences = rows.length;
            actual[i] = guarded(total, hidden);
            ops(i).attention(tensor(qkv), batch, pages, 0, 0.3f, actual[i], null);
        }
        double[][] expected = new double[total][hidden];
        for (int s = 0, row = 0; s < rows.length; row += rows[s++]) {
            double[][] own = Arrays.copyOfRange(qkv, row, row + rows[s]);
            for (int h = 0; h < heads; h++) {
                double[][] q = slice(own, 0, h * headSize, headSize);
                double[][] k = slice(own, 0, hidden + h * headSize, headSize);
                double[][] v = slice(own, 0, 2 * hidden + h * headSize, headSize);
                double[][] out = causal[s]
                        ? ReferenceOps.attention(q, k, v, 0, 0.3f)
                        : ReferenceOps.attentionToAll(q, k, v, 0.3f);
                for (int r = 0; r < out.length; r++) {
                    System.arraycopy(out[r], 0, expected[row + r], h * headSize, headSize);
                }
            }
        }
        assertClose(expected, actual[0], total);
        assertSameBits(actual, total);
    }

    private void fillPast(Ops ops, KeyValuePages cache, int[] pages, double[][] rows, int past, int hidden) {
        if (past > 0) {
            PackedBatch batch = new PackedBatch(1);
            batch.sequences = 1;
            batch.starts[1] = past;
            batch.pages[0] = pages;
            ops.attention(tensor(Arrays.copyOf(rows, past)), batch, cache, 1, 1, HeapTensor.zeros(past, hidden), null);
        }
    }

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void embedAndGather(WeightType type) {
        Random random = new Random(5);
        int size = type.quantized() ? 64 : 45;
        PackedMatrix tokens = matrix(random, type, size, 77);
        PackedMatrix positions = matrix(random, type, size, 40);
        PackedMatrix typeTable = matrix(random, type, size, 3);
        int[] ids = {76, 0, 31, 32};
        int[] at = {39, 0, 16, 15};
        int[] types = {-1, 2, -1, 0};
        HeapTensor out = guarded(4, size);
        ops(0).embed(ids, at, types, 4, tokens, positions, typeTable, out);
        double[][] t = unpack(tokens);
        double[][] p = unpack(positions);
        double[][] tt = unpack(typeTable);
        double[][] expected = new double[4][size];
        for (int r = 0; r < 4; r++) {
            for (int i = 0; i < size; i++) {
                expected[r][i] = t[i][ids[r]] + p[i][at[r]] + (types[r] < 0 ? 0 : tt[i][types[r]]);
            }
        }
        assertClose(expected, out, 4);
        HeapTensor gathered = guarded(2, size);
        ops(0).gatherRows(out, new int[]{3, 1}, 2, gathered);
        assertClose(new double[][]{expected[3], expected[1]}, gathered, 2);
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

    @Test
    void refusesShapesThatDoNotFit() {
        PackedMatrix w = matrix(new Random(1), WeightType.F32, 8, 8);
        HeapTensor x = HeapTensor.zeros(2, 8);
        assertThatThrownBy(() -> ops(0).matmul(HeapTensor.zeros(2, 9), 2, w, null, null, null, HeapTensor.zeros(2, 8)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("2 x 9")
                .hasMessageContaining("8 x 8");
        assertThatThrownBy(() -> ops(0).matmul(x, 3, w, null, null, null, HeapTensor.zeros(2, 8)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ops(0).matmul(x, 2, w, null, null, x, x)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("own");
    }

    private Ops ops(int i) {
        Ops ops = (i == 0 ? tested : scalar).cpu().openOps(400);
        opened.add(ops);
        return ops;
    }

    private static CpuKernels kernels(int i) {
        return (i == 0 ? tested : scalar).cpu().kernels();
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

    private static double[][] slice(double[][] rows, int from, int column, int width) {
        return Arrays.stream(rows, from, rows.length).map(row -> Arrays.copyOfRange(row, column, column + width))
                .toArray(double[][]::new);
    }

    private static HeapTensor tensor(double[][] rows) {
        HeapTensor tensor = HeapTensor.zeros(rows.length, rows[0].length);
        // What lies past a row's end must not matter.
        Arrays.fill(tensor.data(), 77);
        for (int r = 0; r < rows.length; r++) {
            for (int i = 0; i < rows[r].length; i++) {
                tensor.data()[tensor.offset(r) + i] = (float) rows[r][i];
            }
        }
        return tensor;
    }

    private static HeapTensor guarded(int rows, int columns) {
        HeapTensor tensor = HeapTensor.zeros(rows + GUARD_ROWS, columns);
        Arrays.fill(tensor.data(), SENTINEL);
        return tensor;
    }

    private PackedMatrix matrix(Random random, WeightType type, int inputs, int outputs) {
        MemorySegment data = arena.allocate(PackedMatrix.byteSize(type, inputs, outputs), 64);
        PackedMatrix matrix = new PackedMatrix(data, type, inputs, outputs);
        for (int k = 0; k < inputs; k++) {
            for (int n = 0; n < outputs; n++) {
                if (type.quantized()) {
                    QuantizedPanels.setScale(matrix, k, n, 1f / 128 + (n + k / WeightType.BLOCK) % 7 / 64f);
                    int range = type == WeightType.INT8 ? 255 : 16;
                    QuantizedPanels.setInteger(matrix, k, n, random.nextInt(range) - range / 2);
                } else {
                    MatrixPacker.set(matrix, k, n, (float) random.nextGaussian());
                }
            }
        }
        return matrix;
    }

    private static double[][] unpack(PackedMatrix matrix) {
        double[][] w = new double[matrix.inputs()][matrix.outputs()];
        for (int k = 0; k < matrix.inputs(); k++) {
            for (int n = 0; n < matrix.outputs(); n++) {
                w[k][n] = MatrixPacker.get(matrix, k, n);
            }
        }
        return w;
    }

    private PackedVector vector(double[] values) {
        MemorySegment data = arena.allocate(PackedVector.byteSize(values.length), 64);
        for (int i = 0; i < values.length; i++) {
            data.setAtIndex(JAVA_FLOAT, i, (float) values[i]);
        }
        return new PackedVector(data, values.length);
    }

    private static void assertClose(double[][] expected, HeapTensor actual, int rows) {
        float[] numbers = new float[rows * actual.columns()];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(actual.data(), actual.offset(r), numbers, r * actual.columns(), actual.columns());
        }
        double[] wanted = Arrays.stream(expected).flatMapToDouble(Arrays::stream).toArray();
        assertThat(ReferenceOps.normalizedMeanSquaredError(wanted, numbers)).isLessThan(WORST);
        for (int i = actual.offset(rows); i < actual.data().length; i++) {
            assertThat(actual.data()[i]).as("float %d, past the last row", i).isEqualTo(SENTINEL);
        }
    }

    private static void assertSameBits(HeapTensor[] both, int rows) {
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < both[0].columns(); i++) {
                int at = both[0].offset(r) + i;
                assertThat(Float.floatToRawIntBits(both[0].data()[at]))
                        .as("row %d, column %d, tested against scalar", r, i)
                        .isEqualTo(Float.floatToRawIntBits(both[1].data()[at]));
            }
        }
    }
}
