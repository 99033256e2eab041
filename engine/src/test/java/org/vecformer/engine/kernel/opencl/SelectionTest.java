package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.TestDevices;

/** What is chosen of a row of logits on a device, against sorting it. */
@Tag("opencl")
class SelectionTest {

    private final ClDevice device = ClDevice.open(TestDevices.choiceOrSkip(), false);
    private ClQueue queue;
    private RowKernels kernels;

    /** Rows that are hard to tell apart. */
    private enum Kind {
        ANY {
            @Override
            float number(Random random, int column) {
                return (float) random.nextGaussian();
            }
        },
        FEW_VALUES {
            @Override
            float number(Random random, int column) {
                return random.nextInt(5) - 2;
            }
        },
        ONE_VALUE {
            @Override
            float number(Random random, int column) {
                return -3;
            }
        },
        ZEROS {
            @Override
            float number(Random random, int column) {
                return random.nextBoolean() ? 0f : -0f;
            }
        },
        MOSTLY_MASKED {
            @Override
            float number(Random random, int column) {
                return random.nextInt(40) == 0 ? random.nextFloat() : Float.NEGATIVE_INFINITY;
            }
        },
        ALL_MASKED {
            @Override
            float number(Random random, int column) {
                return Float.NEGATIVE_INFINITY;
            }
        },
        SOME_NAN {
            @Override
            float number(Random random, int column) {
                return random.nextInt(3) == 0 ? Float.NaN : random.nextInt(3) == 0 ? Float.NEGATIVE_INFINITY : column;
            }
        },
        ALL_NAN {
            @Override
            float number(Random random, int column) {
                return Float.intBitsToFloat(random.nextBoolean() ? 0x7FC00000 : 0xFFFFFFFF);
            }
        },
        /** Each number that there is, infinities and the smallest among them. */
        ALL_BITS {
            @Override
            float number(Random random, int column) {
                return Float.intBitsToFloat(random.nextInt());
            }
        },
        DESCENDING {
            @Override
            float number(Random random, int column) {
                return -column;
            }
        };

        abstract float number(Random random, int column);

        float[] row(int columns, int seed) {
            Random random = new Random(31L * seed + columns);
            float[] row = new float[columns];
            for (int c = 0; c < columns; c++) {
                row[c] = number(random, c);
            }
            return row;
        }
    }

    @BeforeEach
    void open() {
        queue = device.openQueue();
        kernels = new RowKernels(device, queue);
    }

    @AfterEach
    void close() {
        kernels.close();
        queue.close();
        device.close();
    }

    /** The rows as a tensor; behind their columns lies what would win everything. */
    private DeviceTensor tensor(float[]... rows) {
        int columns = rows[0].length;
        DeviceTensor x = new DeviceTensor(device.allocate(DeviceTensor.byteSize(rows.length, columns), "test"),
                rows.length, columns);
        queue.fill(x.data(), 0, x.data().bytes(), Float.POSITIVE_INFINITY);
        for (int r = 0; r < rows.length; r++) {
            queue.write(x.data(), x.offset(r), rows[r], 0, columns);
        }
        return x;
    }

    /** Columns by descending number, NaN last, then by column. */
    private static List<Integer> sorted(float[] row) {
        return IntStream.range(0, row.length).boxed()
                .sorted(Comparator.<Integer>comparingInt(c -> Float.isNaN(row[c]) ? 1 : 0)
                        .thenComparing(c -> Float.isNaN(row[c]) ? 0f : 0f - row[c])
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void theLargestInOrder(Kind kind) {
        for (int columns : new int[]{1, 31, 2048, 2049, 9000, 50257}) {
            float[] row = kind.row(columns, 1);
            List<Integer> sorted = sorted(row);
            DeviceTensor x = tensor(new float[columns], row);
            for (int k : new int[]{1, 2, 50, 1024}) {
                int[] ids = new int[k + 1];
                float[] values = new float[k + 1];
                Arrays.fill(ids, -9);
                int count = kernels.topK(x, 1, k, ids, values);
                assertThat(count).isEqualTo(Math.min(k, columns));
                assertThat(ids[count]).as("behind the last").isEqualTo(-9);
                for (int i = 0; i < count; i++) {
                    assertThat(ids[i]).as("%d. of %d of %d", i, k, columns).isEqualTo(sorted.get(i));
                    float expected = row[ids[i]];
                    assertThat(values[i] == expected || Float.isNaN(values[i]) && Float.isNaN(expected))
                            .as("%s for %s", values[i], expected).isTrue();
                }
            }
            x.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 1023, 1024, 2049, 50257})
    void theLargestOfManyRows(int columns) {
        float[][] rows = new float[Kind.values().length][];
        int[] expected = new int[rows.length];
        for (Kind kind : Kind.values()) {
            float[] row = kind.row(columns, 2);
            rows[kind.ordinal()] = row;
            int first = sorted(row).getFirst();
            // NaN counts as negative infinity, and of those the first wins.
            expected[kind.ordinal()] = row[first] > Float.NEGATIVE_INFINITY ? first : 0;
        }
        int[] actual = new int[rows.length];
        try (DeviceTensor x = tensor(rows)) {
            kernels.argMax(x, rows.length, actual);
            assertThat(actual).isEqualTo(expected);
            int[] two = new int[]{-1, -1, -1};
            kernels.argMax(x, 2, two);
            assertThat(two).containsExactly(expected[0], expected[1], -1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 33, 1024, 50257})
    void logarithmsOfSums(int columns) {
        for (Kind kind : List.of(Kind.ANY, Kind.FEW_VALUES, Kind.MOSTLY_MASKED, Kind.DESCENDING, Kind.ZEROS)) {
            for (float shift : new float[]{0, 700, -700}) {
                float[] row = kind.row(columns, 3);
                row[columns / 2] = 1;
                double largest = Double.NEGATIVE_INFINITY;
                for (int c = 0; c < columns; c++) {
                    row[c] += shift;
                    largest = Math.max(largest, row[c]);
                }
                double sum = 0;
                for (float number : row) {
                    sum += Math.exp(number - largest);
                }
                try (DeviceTensor x = tensor(new float[columns], row)) {
                    double actual = kernels.logSumExp(x, 1);
                    // Of the sum itself: its logarithm is wrong by as much as it is relatively.
                    assertThat(Math.abs(Math.expm1(actual - largest - Math.log(sum)))).as("%s + %s", kind, shift)
                            .isLessThan(1e-6);
                }
            }
        }
    }

    @Test
    void infinitiesAndNaNInSums() {
        float[] masked = Kind.ALL_MASKED.row(5000, 0);
        float[] infinite = Kind.ANY.row(5000, 0);
        infinite[4000] = Float.POSITIVE_INFINITY;
        float[] undefined = infinite.clone();
        undefined[70] = Float.NaN;
        // One slice has nothing, the others only small numbers: nothing may be relative to 0.
        float[] small = Kind.ALL_MASKED.row(5000, 0);
        small[4999] = -5000;
        try (DeviceTensor x = tensor(masked, infinite, undefined, small)) {
            assertThat(kernels.logSumExp(x, 0)).isEqualTo(Double.NEGATIVE_INFINITY);
            assertThat(kernels.logSumExp(x, 1)).isEqualTo(Double.POSITIVE_INFINITY);
            assertThat(kernels.logSumExp(x, 2)).isNaN();
            assertThat(kernels.logSumExp(x, 3)).isEqualTo(-5000);
        }
    }

    @Test
    void theSameEveryTime() {
        float[] row = Kind.FEW_VALUES.row(20000, 5);
        try (DeviceTensor x = tensor(row)) {
            int[] expected = new int[300];
            kernels.topK(x, 0, 300, expected, new float[300]);
            double sum = kernels.logSumExp(x, 0);
            int[] largest = new int[1];
            for (int i = 0; i < 100; i++) {
                int[] ids = new int[300];
                kernels.topK(x, 0, 300, ids, new float[300]);
                assertThat(ids).isEqualTo(expected);
                assertThat(kernels.logSumExp(x, 0)).isEqualTo(sum);
                kernels.argMax(x, 1, largest);
                assertThat(largest[0]).isEqualTo(expected[0]);
            }
        }
    }

    @Test
    void tooManyOrNoneAreRefused() {
        try (DeviceTensor x = tensor(new float[3000])) {
            for (int k : new int[]{0, -1, RowKernels.MOST_OF_TOP + 1}) {
                assertThatThrownBy(() -> kernels.topK(x, 0, k, new int[2000], new float[2000]))
                        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("the " + k + " largest");
            }
            assertThatThrownBy(() -> kernels.topK(x, 1, 1, new int[1], new float[1]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernels.argMax(x, 2, new int[2])).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
