package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.SafetensorsWriter;

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
            case INT8, INT4 -> throw new UnsupportedOperationException("quantized");
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
}
