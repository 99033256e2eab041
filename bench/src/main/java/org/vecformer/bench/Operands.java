package org.vecformer.bench;

import java.io.IOException;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.MatrixPacker;
import org.vecformer.engine.kernel.WorkerPool;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/**
 * Random operands, as plain arrays and as the engine keeps them. Weights go through a file and the engine's own packer:
 * the way of a real model's.
 */
final class Operands {

    /** A matrix; element (k, n) is {@code values[k * outputs + n]}. */
    record Matrix(PackedMatrix packed, float[] values) {}

    /** A bias or gain. */
    record Vector(PackedVector packed, float[] values) {}

    private final SplittableRandom random = new SplittableRandom(42);
    private final SegmentAllocator memory;
    private final WorkerPool pool;

    /** @param memory for what is packed */
    Operands(SegmentAllocator memory, WorkerPool pool) {
        this.memory = memory;
        this.pool = pool;
    }

    /**
     * A matrix whose numbers the type has exactly, so that the reference has the same ones: multiples of 1/64 of up to 7
     * bits (of up to 3 for int4), and in each block of a quantized one the greatest magnitude, from which follows a
     * scale of 1/64.
     */
    Matrix matrix(WeightType type, int inputs, int outputs) throws IOException {
        int most = type == WeightType.INT4 ? 7 : 127;
        int greatest = type == WeightType.INT4 ? -8 : 127;
        float[] values = new float[Math.multiplyExact(inputs, outputs)];
        for (int i = 0; i < values.length; i++) {
            boolean first = i / outputs % WeightType.BLOCK == 0;
            values[i] = (first ? greatest : random.nextInt(-most, most + 1)) / 64f;
        }
        return throughFile(values, List.of((long) inputs, (long) outputs), (packer, checkpoint) -> new Matrix(
                packer.matrix(checkpoint.find("x").orElseThrow(), MatrixPacker.Order.INPUTS_FIRST, type, inputs,
                        outputs),
                values));
    }

    /** Numbers around a centre, up to 1 away. */
    Vector vector(int length, float centre) throws IOException {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = centre + uniform();
        }
        return throughFile(values, List.of((long) length), (packer,
                checkpoint) -> new Vector(packer.vector(List.of(checkpoint.find("x").orElseThrow()), length), values));
    }

    private interface Reading<T> {
        T read(MatrixPacker packer, Checkpoint checkpoint) throws IOException;
    }

    private <T> T throughFile(float[] values, List<Long> shape, Reading<T> reading) throws IOException {
        Path file = Files.createTempFile("vecformer-bench", ".safetensors");
        try {
            long[] dimensions = shape.stream().mapToLong(Long::longValue).toArray();
            try (SafetensorsWriter writer = SafetensorsWriter.create(file,
                    List.of(Declaration.f32("x", dimensions)), Map.of())) {
                writer.append(values);
                writer.finish();
            }
            try (Checkpoint checkpoint = Checkpoint.open(file);
                    MatrixPacker packer = new MatrixPacker(checkpoint, memory, pool, _ -> {
                    })) {
                return reading.read(packer, checkpoint);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Activations from -1 to 1. */
    HeapTensor activations(int rows, int columns) {
        HeapTensor tensor = HeapTensor.zeros(rows, columns);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                tensor.data()[tensor.offset(r) + c] = uniform();
            }
        }
        return tensor;
    }

    private float uniform() {
        return (random.nextInt() >> 8) * 0x1p-23f;
    }
}
