package org.vecformer.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.loader.DType;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.TensorInfo;
import org.vecformer.loader.convert.CheckpointConverter;
import org.vecformer.loader.convert.ConversionOptions;
import org.vecformer.loader.convert.ConversionProgress;

/** Quantized models on disk, and what their files hold, read as the format is documented. */
public final class QuantizedModels {

    private static final String WEIGHTS = "model.safetensors";

    private QuantizedModels() {
    }

    /** A tensor of a file. */
    public record Data(DType dtype, List<Long> shape, byte[] bytes) {
        short bfloat(int i) {
            return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(i * Short.BYTES);
        }
    }

    /** A file's tensors and metadata, to be changed. */
    public record Contents(Map<String, Data> tensors, Map<String, String> metadata) {}

    /** Converts a model directory. */
    public static Path convert(Path source, Path directory, Quantization quantization) throws IOException {
        new CheckpointConverter(source, directory, ConversionOptions.defaults().withQuantization(quantization),
                ConversionProgress.NONE).convert();
        return directory;
    }

    /** Writes the float32 model of the numbers that a quantized one stands for. */
    public static Path dequantize(Path quantized, Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.copy(quantized.resolve("config.json"), directory.resolve("config.json"));
        Contents contents = read(quantized);
        Map<String, Data> tensors = new LinkedHashMap<>();
        contents.tensors.forEach((name, data) -> {
            Data scales = contents.tensors.get(name + ".scales");
            if (scales != null) {
                tensors.put(name, numbers(data, scales));
            } else if (!name.endsWith(".scales")) {
                tensors.put(name, data);
            }
        });
        write(directory, new Contents(tensors, Map.of()));
        return directory;
    }

    private static Data numbers(Data integers, Data scales) {
        boolean bytes = integers.dtype == DType.I8;
        int perByte = bytes ? 1 : 2;
        // Where the scales have the fewer elements is the dimension of inputs.
        boolean inputsFirst = integers.shape.get(1).equals(scales.shape.get(1));
        int inputs = Math.toIntExact(integers.shape.get(inputsFirst ? 0 : 1) * perByte);
        int outputs = Math.toIntExact(integers.shape.get(inputsFirst ? 1 : 0));
        ByteBuffer numbers = ByteBuffer.allocate(inputs * outputs * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < inputs; k++) {
            for (int n = 0; n < outputs; n++) {
                int held = integers.bytes[inputsFirst
                        ? k / perByte * outputs + n
                        : n * (inputs / perByte) + k / perByte];
                int integer = bytes ? held : (k % 2 == 0 ? held & 15 : held >> 4 & 15) - 8;
                float scale = Float.intBitsToFloat(
                        scales.bfloat(inputsFirst ? k / 32 * outputs + n : n * (inputs / 32) + k / 32) << 16);
                numbers.putFloat((inputsFirst ? k * outputs + n : n * inputs + k) * Float.BYTES, scale * integer);
            }
        }
        List<Long> shape = inputsFirst
                ? List.of((long) inputs, (long) outputs)
                : List.of((long) outputs, (long) inputs);
        return new Data(DType.F32, shape, numbers.array());
    }

    /** All of a model's weights file. */
    public static Contents read(Path directory) throws IOException {
        Map<String, Data> tensors = new LinkedHashMap<>();
        try (Safetensors file = Safetensors.open(directory.resolve(WEIGHTS))) {
            for (TensorInfo tensor : file.tensors()) {
                byte[] bytes = new byte[Math.toIntExact(tensor.byteSize())];
                file.read(tensor, 0, MemorySegment.ofArray(bytes));
                tensors.put(tensor.name(), new Data(tensor.dtype(), tensor.shape(), bytes));
            }
            return new Contents(tensors, new LinkedHashMap<>(file.metadata()));
        }
    }

    /** Writes a model's weights file. */
    public static void write(Path directory, Contents contents) throws IOException {
        List<SafetensorsWriter.Declaration> declarations = new ArrayList<>();
        contents.tensors.forEach(
                (name, data) -> declarations.add(new SafetensorsWriter.Declaration(name, data.dtype, data.shape)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(WEIGHTS), declarations,
                contents.metadata)) {
            for (Data data : contents.tensors.values()) {
                writer.append(MemorySegment.ofArray(data.bytes));
            }
            writer.finish();
        }
    }
}
