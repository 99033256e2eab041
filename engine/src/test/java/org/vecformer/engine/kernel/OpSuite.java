package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.loader.Activation;

/**
 * One list of op cases for all backends: close to a reference that accumulates in double, and nothing written outside
 * of an op's rows.
 */
abstract class OpSuite {

    private static final double WORST = 1e-11;

    /** For weights that are packed here; each lab has its copy. */
    final Arena arena = Arena.ofShared();
    private final List<OpLab> labs = new ArrayList<>();

    /** The backend under test. */
    abstract Backend tested();

    /** What else can be said of numbers that the backend under test computed. */
    void check(Function<OpLab, Tensor> op, float[][] tested) {
    }

    final OpLab lab(Backend backend) {
        OpLab lab = new OpLab(backend);
        labs.add(lab);
        return lab;
    }

    @AfterEach
    void free() {
        labs.forEach(OpLab::close);
        arena.close();
    }

    private void assertComputes(double[][] expected, Function<OpLab, Tensor> op) {
        OpLab lab = lab(tested());
        float[][] actual = lab.numbers(op.apply(lab));
        assertClose(expected, actual);
        check(op, actual);
    }

    /** A matrix product. Large magnitudes: inputs are multiplied with {@code size}. */
    record Product(int rows, int inputs, int outputs, WeightType type, boolean bias, Activation activation,
            boolean residual, float size) {}

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
        assertComputes(expected, lab -> {
            Tensor out = lab.guarded(c.rows, c.outputs);
            lab.ops.matmul(lab.tensor(x), c.rows, lab.matrix(w), c.bias ? lab.vector(vector(bias)) : null,
                    c.activation, c.residual ? lab.tensor(residual) : null, out);
            return out;
        });
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
            assertComputes(expected, lab -> {
                Tensor out = lab.guarded(5, n);
                lab.ops.layerNorm(lab.tensor(x), 5, lab.vector(vector(gain)), lab.vector(vector(bias)), 1e-5f, out);
                return out;
            });
        }
    }

    static Stream<Integer> rowLengths() {
        return Stream.of(1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 768, 1000);
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
        assertComputes(expected, lab -> {
            KeyValueMemory cache = dirtyCache(lab.ops, 40, 2, c.heads, c.headSize);
            PackedBatch batch = new PackedBatch(sequences);
            int nextPage = 0;
            for (int s = 0; s < sequences; s++) {
                batch.pages[s] = new int[Math.ceilDiv(c.past[s] + c.rows[s], 32)];
                for (int p = 0; p < batch.pages[s].length; p++) {
                    batch.pages[s][p] = 39 - nextPage++;
                }
            }
            for (int s = 0; s < sequences; s++) {
                fillPast(lab, cache, batch.pages[s], all[s], c.past[s], hidden);
            }
            batch.sequences = sequences;
            double[][] qkv = new double[total][];
            for (int s = 0; s < sequences; s++) {
                batch.past[s] = c.past[s];
                batch.starts[s + 1] = batch.starts[s] + c.rows[s];
                System.arraycopy(all[s], c.past[s], qkv, batch.starts[s], c.rows[s]);
            }
            Tensor out = lab.guarded(total, hidden);
            lab.ops.attention(lab.tensor(qkv), batch, cache, 1, scale, out, null);
            return out;
        });
    }

    /**
     * A cache with large numbers in all that nobody has written since: whoever reads it, shows it. They are written as
     * keys and values of 32 positions a page.
     */
    private static KeyValueMemory dirtyCache(Ops ops, int pages, int layers, int heads, int headSize) {
        KeyValueMemory cache = ops.keyValues(pages, layers, heads, headSize, WeightType.F32);
        int hidden = heads * headSize;
        int positions = KeyValueMemory.POSITIONS;
        Tensor rows = ops.tensor(positions, 3 * hidden);
        float[] large = new float[3 * hidden];
        for (int r = 0; r < positions; r++) {
            for (int i = 0; i < large.length; i++) {
                large[i] = (r + i) % 2 == 0 ? 1e30f : -1e30f;
            }
            ops.write(large, rows, r);
        }
        Tensor out = ops.tensor(positions, hidden);
        PackedBatch batch = new PackedBatch(1);
        batch.sequences = 1;
        batch.starts[1] = positions;
        for (int page = 0; page < pages; page++) {
            cache.commit(page);
            batch.pages[0] = new int[]{page};
            for (int layer = 0; layer < layers; layer++) {
                ops.attention(rows, batch, cache, layer, 1, out, null);
            }
        }
        return cache;
    }

    private static void fillPast(OpLab lab, KeyValueMemory cache, int[] pages, double[][] rows, int past, int hidden) {
        if (past > 0) {
            PackedBatch batch = new PackedBatch(1);
            batch.sequences = 1;
            batch.starts[1] = past;
            batch.pages[0] = pages;
            lab.ops.attention(lab.tensor(Arrays.copyOf(rows, past)), batch, cache, 1, 1,
                    lab.ops.tensor(past, hidden), null);
        }
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
        assertComputes(expected, lab -> {
            KeyValueMemory cache = dirtyCache(lab.ops, 20, 1, heads, headSize);
            PackedBatch batch = new PackedBatch(rows.length);
            int page = 0;
            for (int s = 0; s < rows.length; s++) {
                batch.starts[s + 1] = batch.starts[s] + rows[s];
                batch.seenByAll[s] = causal[s] ? 0 : rows[s];
                batch.pages[s] = new int[Math.ceilDiv(rows[s], 32)];
                for (int p = 0; p < batch.pages[s].length; p++) {
                    batch.pages[s][p] = page++;
                }
            }
            batch.sequences = rows.length;
            Tensor out = lab.guarded(total, hidden);
            lab.ops.attention(lab.tensor(qkv), batch, cache, 0, 0.3f, out, null);
            return out;
        });
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
        double[][] t = unpack(tokens);
        double[][] p = unpack(positions);
        double[][] tt = unpack(typeTable);
        double[][] expected = new double[4][size];
        for (int r = 0; r < 4; r++) {
            for (int i = 0; i < size; i++) {
                expected[r][i] = t[i][ids[r]] + p[i][at[r]] + (types[r] < 0 ? 0 : tt[i][types[r]]);
            }
        }
        Function<OpLab, Tensor> embed = lab -> {
            Tensor out = lab.guarded(4, size);
            lab.ops.embed(ids, at, types, 4, lab.matrix(tokens), lab.matrix(positions), lab.matrix(typeTable), out);
            return out;
        };
        assertComputes(expected, embed);
        assertComputes(new double[][]{expected[3], expected[1]}, lab -> {
            Tensor gathered = lab.guarded(2, size);
            lab.ops.gatherRows(embed.apply(lab), new int[]{3, 1}, 2, gathered);
            return gathered;
        });
    }

    /** Rows of logits: continuous, with many ties and both zeros, with impossible ones, with NaN, and of nothing else. */
    private static double[][] logits(Random random, int columns) {
        double[][] rows = random(random, 8, columns, 4);
        for (int i = 0; i < columns; i++) {
            rows[1][i] = Math.copySign(Math.round(rows[1][i] / 3), rows[1][i]);
            rows[2][i] = random.nextInt(3) == 0 ? rows[2][i] : Double.NEGATIVE_INFINITY;
            rows[3][i] = random.nextInt(3) == 0 ? Double.NaN : Math.round(rows[3][i]);
            rows[4][i] = Double.NEGATIVE_INFINITY;
            rows[5][i] = Double.NaN;
            rows[7][i] = i % 2 == 0 ? Double.NaN : Double.NEGATIVE_INFINITY;
            rows[6][i] = random.nextInt(9) == 0 ? Double.POSITIVE_INFINITY : -1000 - i;
        }
        return rows;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 31, 32, 33, 257, 1000, 4099, 50257})
    void findsTheLargestOfARow(int columns) {
        double[][] rows = logits(new Random(columns), columns);
        OpLab lab = lab(tested());
        Tensor x = lab.tensor(rows);
        int[] argMax = new int[rows.length + 1];
        argMax[rows.length - 1] = -5;
        lab.ops.argMax(x, rows.length - 1, argMax);
        assertThat(argMax[rows.length - 1]).as("of a row that was not asked for").isEqualTo(-5);
        lab.ops.argMax(x, rows.length, argMax);
        for (int r = 0; r < rows.length; r++) {
            double[] row = rows[r];
            // A row's zeros are equal, and a stable sort leaves equal ones in order.
            List<Integer> sorted = IntStream.range(0, columns).boxed()
                    .sorted(Comparator.<Integer, Boolean>comparing(i -> Double.isNaN(row[i]))
                            .thenComparing(i -> -(row[i] + 0.0)))
                    .toList();
            double largest = row[sorted.getFirst()];
            assertThat(argMax[r]).as("row %d", r)
                    .isEqualTo(largest > Double.NEGATIVE_INFINITY ? sorted.getFirst() : 0);
            for (int k : new int[]{1, 2, 9, 48, 200, Math.min(columns, 1000), columns + 3}) {
                if (k > columns && columns > 1000) {
                    continue;
                }
                int[] ids = new int[k];
                float[] values = new float[k];
                int count = lab.ops.topK(x, r, k, ids, values);
                assertThat(count).isEqualTo(Math.min(k, columns));
                for (int i = 0; i < count; i++) {
                    assertThat(ids[i]).as("row %d, rank %d of %d", r, i, k).isEqualTo(sorted.get(i));
                    assertThat(values[i] == row[ids[i]] || Float.isNaN(values[i]) && Double.isNaN(row[ids[i]]))
                            .as("%s for %s", values[i], row[ids[i]]).isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 33, 257, 4099, 50257})
    void sumsExponentialsOfARow(int columns) {
        double[][] rows = logits(new Random(columns), columns);
        rows[0][columns / 2] = 900;
        OpLab lab = lab(tested());
        Tensor x = lab.tensor(rows);
        for (int r = 0; r < 3; r++) {
            double max = Arrays.stream(rows[r]).max().orElseThrow();
            double expected = max + Math.log(Arrays.stream(rows[r]).map(logit -> Math.exp(logit - max)).sum());
            if (max == Double.NEGATIVE_INFINITY) {
                expected = max;
            }
            double actual = lab.ops.logSumExp(x, r);
            assertThat(actual == expected || Math.abs(actual - expected) < 1e-6 * Math.max(1, Math.abs(expected)))
                    .as("row %d: %s for %s", r, actual, expected).isTrue();
        }
        assertThat(lab.ops.logSumExp(x, 4)).isEqualTo(Double.NEGATIVE_INFINITY);
    }

    @Test
    void refusesShapesThatDoNotFit() {
        OpLab lab = lab(tested());
        WeightMatrix w = lab.matrix(matrix(new Random(1), WeightType.F32, 8, 8));
        Tensor x = lab.ops.tensor(2, 8);
        Tensor wide = lab.ops.tensor(2, 9);
        Tensor out = lab.ops.tensor(2, 8);
        assertThatThrownBy(() -> lab.ops.matmul(wide, 2, w, null, null, null, out))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("2 x 9")
                .hasMessageContaining("8 x 8");
        assertThatThrownBy(() -> lab.ops.matmul(x, 3, w, null, null, null, out))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> lab.ops.matmul(x, 2, w, null, null, x, x))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("own");
    }

    static double[][] random(Random random, int rows, int columns, float size) {
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

    final PackedMatrix matrix(Random random, WeightType type, int inputs, int outputs) {
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

    final PackedVector vector(double[] values) {
        MemorySegment data = arena.allocate(PackedVector.byteSize(values.length), 64);
        for (int i = 0; i < values.length; i++) {
            data.setAtIndex(JAVA_FLOAT, i, (float) values[i]);
        }
        return new PackedVector(data, values.length);
    }

    private static void assertClose(double[][] expected, float[][] actual) {
        int rows = expected.length;
        int columns = expected[0].length;
        float[] numbers = new float[rows * columns];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(actual[r], 0, numbers, r * columns, columns);
        }
        double[] wanted = Arrays.stream(expected).flatMapToDouble(Arrays::stream).toArray();
        assertThat(ReferenceOps.normalizedMeanSquaredError(wanted, numbers)).isLessThan(WORST);
        for (int r = rows; r < actual.length; r++) {
            assertThat(actual[r]).as("row %d, past the last one", r).containsOnly(OpLab.SENTINEL);
        }
    }
}
