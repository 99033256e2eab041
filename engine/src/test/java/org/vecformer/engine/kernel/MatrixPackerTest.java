package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.BlockQuantizer;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.TensorInfo;

class MatrixPackerTest {

    @TempDir
    Path folder;

    private Path write(int rows, int columns, float[] values) throws IOException {
        Path file = folder.resolve("matrix.safetensors");
        var declaration = new SafetensorsWriter.Declaration("w", DType.F32, List.of((long) rows, (long) columns));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(declaration), Map.of())) {
            writer.append(values);
            writer.finish();
        }
        return file;
    }

    /**
     * Matrices of one and of several windows (of 2 MB), in both orders and all types: each element is where
     * it belongs, rounded once.
     */
    @Test
    void everyElementIsFoundWhereItBelongs() throws IOException {
        try (WorkerPool pool = new WorkerPool(3); Arena arena = Arena.ofShared()) {
            for (int[] shape : new int[][]{{1, 1}, {33, 31}, {70, 100}, {500, 1500}, {1500, 500}}) {
                int rows = shape[0];
                int columns = shape[1];
                float[] values = new float[rows * columns];
                Random random = new Random(rows);
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian();
                }
                try (Checkpoint checkpoint = Checkpoint.open(write(rows, columns, values))) {
                    AtomicLong read = new AtomicLong();
                    try (MatrixPacker packer = new MatrixPacker(checkpoint, arena, pool, read::addAndGet)) {
                        for (WeightType type : new WeightType[]{WeightType.F32, WeightType.F16, WeightType.BF16}) {
                            for (MatrixPacker.Order order : MatrixPacker.Order.values()) {
                                boolean inputsFirst = order == MatrixPacker.Order.INPUTS_FIRST;
                                read.set(0);
                                PackedMatrix m = packer.matrix(checkpoint.find("w").orElseThrow(), order, type,
                                        inputsFirst ? rows : columns, inputsFirst ? columns : rows);
                                assertThat(read.get()).isEqualTo(4L * values.length);
                                for (int i = 0; i < values.length; i++) {
                                    int row = i / columns;
                                    int column = i % columns;
                                    float got = MatrixPacker.get(m, inputsFirst ? row : column,
                                            inputsFirst ? column : row);
                                    if (got != rounded(type, values[i])) {
                                        assertThat(got).as("%s %s %d x %d, element %d", type, order, rows, columns, i)
                                                .isEqualTo(rounded(type, values[i]));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static float rounded(WeightType type, float value) {
        return switch (type) {
            case F32 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Narrow.lowBfloat(Narrow.toBfloat(value));
            case INT8, INT4 -> throw new IllegalArgumentException("depends on the block");
        };
    }

    @Test
    void numbersBeyondHalfAreKeptAsFloat() throws IOException {
        try (WorkerPool pool = new WorkerPool(1);
                Arena arena = Arena.ofShared();
                Checkpoint checkpoint = Checkpoint.open(write(1, 3, new float[]{1, 70_000, Float.NEGATIVE_INFINITY}));
                MatrixPacker packer = new MatrixPacker(checkpoint, arena, pool, _ -> {
                })) {
            PackedMatrix m = packer.matrix(checkpoint.find("w").orElseThrow(), MatrixPacker.Order.INPUTS_FIRST,
                    WeightType.F16, 1, 3);
            assertThat(m.type()).isEqualTo(WeightType.F32);
            assertThat(MatrixPacker.get(m, 0, 1)).isEqualTo(70_000);
            assertThat(MatrixPacker.get(m, 0, 2)).isEqualTo(Float.NEGATIVE_INFINITY);
        }
    }

    /** The columns past the last output are zero: kernels compute them along. */
    @Test
    void padsWithZeros() throws IOException {
        try (WorkerPool pool = new WorkerPool(1);
                Arena arena = Arena.ofShared();
                Checkpoint checkpoint = Checkpoint.open(write(2, 3, new float[]{1, 2, 3, 4, 5, 6}));
                MatrixPacker packer = new MatrixPacker(checkpoint, arena, pool, _ -> {
                })) {
            PackedMatrix m = packer.matrix(checkpoint.find("w").orElseThrow(), MatrixPacker.Order.INPUTS_FIRST,
                    WeightType.F32, 2, 3);
            MemorySegment data = m.data();
            for (int k = 0; k < 2; k++) {
                for (int n = 3; n < 32; n++) {
                    assertThat(data.getAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, 32L * k + n)).isZero();
                }
            }
        }
    }

    /** What the quantizer makes of one output's block, as float32 numbers. */
    private static float[] requantized(Quantization quantization, float[] block) {
        BlockQuantizer quantizer = new BlockQuantizer();
        for (int k = 0; k < Quantization.BLOCK; k++) {
            quantizer.numbers()[k][0] = block[k];
        }
        assertThat(quantizer.quantize(quantization, 1)).isTrue();
        float[] result = new float[Quantization.BLOCK];
        for (int k = 0; k < Quantization.BLOCK; k++) {
            result[k] = quantizer.scales()[0] * quantizer.integers()[k][0];
        }
        return result;
    }

    /** Inputs x outputs of what the quantizer makes of the numbers in {@code values}, which begin at {@code from}. */
    private static float[][] requantized(Quantization quantization, float[] values, int from, int inputs, int outputs,
            boolean inputsFirst) {
        float[][] expected = new float[inputs][outputs];
        float[] block = new float[Quantization.BLOCK];
        for (int n = 0; n < outputs; n++) {
            for (int k = 0; k < inputs; k += Quantization.BLOCK) {
                for (int i = 0; i < Quantization.BLOCK; i++) {
                    block[i] = values[from + (inputsFirst ? (k + i) * outputs + n : n * inputs + k + i)];
                }
                float[] numbers = requantized(quantization, block);
                for (int i = 0; i < Quantization.BLOCK; i++) {
                    expected[k + i][n] = numbers[i];
                }
            }
        }
        return expected;
    }

    private static void assertHolds(PackedMatrix m, float[][] expected, int from, int outputs) {
        float[] column = new float[m.inputs() + 1];
        for (int n = 0; n < outputs; n++) {
            Arrays.fill(column, 0);
            MatrixPacker.addColumn(m, from + n, column, 1);
            for (int k = 0; k < m.inputs(); k++) {
                float got = MatrixPacker.get(m, k, from + n);
                if (got != expected[k][n] || column[1 + k] != got) {
                    assertThat(got).as("%s of %d x %d, input %d, output %d", m.type(), m.inputs(), m.outputs(), k, n)
                            .isEqualTo(expected[k][n]);
                    assertThat(column[1 + k]).isEqualTo(got);
                }
            }
        }
    }

    /** Quantized matrices of one and of several windows and tiles, with ragged outputs, in both orders. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void quantizedElementsAreThoseOfTheQuantizer(Quantization quantization) throws IOException {
        WeightType type = WeightType.valueOf(quantization.name());
        try (WorkerPool pool = new WorkerPool(3); Arena arena = Arena.ofShared()) {
            for (int[] shape : new int[][]{{32, 1}, {64, 33}, {96, 300}, {320, 2100}, {2048, 257}}) {
                int inputs = shape[0];
                int outputs = shape[1];
                float[] values = samples(inputs * outputs);
                for (MatrixPacker.Order order : MatrixPacker.Order.values()) {
                    boolean inputsFirst = order == MatrixPacker.Order.INPUTS_FIRST;
                    Path file = inputsFirst ? write(inputs, outputs, values) : write(outputs, inputs, values);
                    try (Checkpoint checkpoint = Checkpoint.open(file);
                            MatrixPacker packer = new MatrixPacker(checkpoint, arena, pool, _ -> {
                            })) {
                        PackedMatrix m = packer.matrix(checkpoint.find("w").orElseThrow(), order, type, inputs,
                                outputs);
                        assertThat(m.type()).isEqualTo(type);
                        assertHolds(m, requantized(quantization, values, 0, inputs, outputs, inputsFirst), 0, outputs);
                        for (int k = 0; k < inputs; k++) {
                            for (int n = outputs; n < m.panels() * 32; n++) {
                                assertThat(Float.floatToRawIntBits(MatrixPacker.get(m, k, n))).isZero();
                            }
                        }
                    }
                }
            }
        }
    }

    /** Normally distributed numbers, some far from the others, blocks of zeros, subnormal and huge ones. */
    private static float[] samples(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * switch (i / 64 % 7) {
                case 0 -> 0;
                case 1 -> 0x1p-145f;
                case 2 -> 0x1p-130f;
                case 3 -> 0x1p95f;
                case 4 -> i % 5 == 0 ? 100 : 1;
                default -> 0.02f;
            };
        }
        return values;
    }

    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"INT8", "INT4"})
    void matricesSideBySideAreQuantizedAsAlone(WeightType type) throws IOException {
        int inputs = 64;
        for (int outputs : new int[]{32, 544}) {
            List<SafetensorsWriter.Declaration> declarations = new ArrayList<>();
            for (String name : List.of("a", "b", "c")) {
                declarations.add(SafetensorsWriter.Declaration.f32(name, outputs, inputs));
            }
            float[] values = samples(3 * outputs * inputs);
            Path file = folder.resolve("three.safetensors");
            try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
                writer.append(Arrays.copyOfRange(values, 0, outputs * inputs));
                writer.append(Arrays.copyOfRange(values, outputs * inputs, 2 * outputs * inputs));
                writer.append(Arrays.copyOfRange(values, 2 * outputs * inputs, 3 * outputs * inputs));
                writer.finish();
            }
            try (WorkerPool pool = new WorkerPool(2);
                    Arena arena = Arena.ofShared();
                    Checkpoint checkpoint = Checkpoint.open(file);
                    MatrixPacker packer = new MatrixPacker(checkpoint, arena, pool, _ -> {
                    })) {
                List<TensorInfo> tensors = checkpoint.names().stream().map(checkpoint::find).map(Optional::orElseThrow)
                        .toList();
                PackedMatrix m = packer.matrices(tensors, type, inputs, outputs);
                assertThat(m.type()).isEqualTo(type);
                assertThat(m.outputs()).isEqualTo(3 * outputs);
                for (int i = 0; i < 3; i++) {
                    assertHolds(m, requantized(Quantization.valueOf(type.name()), values, i * outputs * inputs, inputs,
                            outputs, false), i * outputs, outputs);
                }
            }
        }
    }

    /** Numbers that are none or beyond 2^100, and blocks that do not come out even, stay as they are. */
    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"INT8", "INT4"})
    void whatCannotBeQuantizedIsKeptAsFloat(WeightType type) throws IOException {
        for (float hostile : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0x1p100f,
            -0x1p100f,
            Float.MAX_VALUE}) {
            for (int place : new int[]{0, 31 * 40 + 5, 64 * 40 - 1}) {
                float[] values = samples(64 * 40);
                values[place] = hostile;
                PackedMatrix m = packed(write(64, 40, values), type, 64, 40);
                assertThat(m.type()).isEqualTo(WeightType.F32);
            }
        }
        assertThat(packed(write(48, 40, samples(48 * 40)), type, 48, 40).type()).isEqualTo(WeightType.F32);
        float[] high = samples(32 * 3);
        high[7] = Math.nextDown(0x1p100f);
        high[8] = Math.nextUp(-0x1p100f);
        assertThat(packed(write(32, 3, high), type, 32, 3).type()).isEqualTo(type);
    }

    private static PackedMatrix packed(Path file, WeightType type, int inputs, int outputs) throws IOException {
        try (WorkerPool pool = new WorkerPool(1);
                Checkpoint checkpoint = Checkpoint.open(file);
                MatrixPacker packer = new MatrixPacker(checkpoint, Arena.ofAuto(), pool, _ -> {
                })) {
            return packer.matrix(checkpoint.find("w").orElseThrow(), MatrixPacker.Order.INPUTS_FIRST, type, inputs,
                    outputs);
        }
    }

    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"INT8", "INT4"})
    void aSingleIntegerIsSetWithoutItsNeighbours(WeightType type) {
        Quantization quantization = Quantization.valueOf(type.name());
        try (Arena arena = Arena.ofConfined()) {
            PackedMatrix m = new PackedMatrix(arena.allocate(PackedMatrix.byteSize(type, 64, 70)), type, 64, 70);
            Random random = new Random(1);
            float[][] expected = new float[64][70];
            for (int n = 0; n < 70; n++) {
                for (int k = 63; k >= 0; k--) {
                    int q = random.nextInt(quantization.least(), quantization.most() + 1);
                    float scale = (k / 32 + 1) * 0.5f - n;
                    QuantizedPanels.setScale(m, k, n, scale);
                    QuantizedPanels.setInteger(m, k, n, q);
                    expected[k][n] = scale * q;
                }
            }
            assertHolds(m, expected, 0, 70);
        }
    }
}
