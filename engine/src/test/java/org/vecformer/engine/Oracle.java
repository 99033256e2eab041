package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Assumptions;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** The reference files: inputs and what the reference implementations made of them. */
public final class Oracle {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Oracle() {
    }

    /** A path below ../shared; skips the test, saying so, where that folder is not. */
    public static Path shared(String path) {
        String folder = System.getProperty("vecformer.shared", "");
        Assumptions.assumeTrue(!folder.isEmpty() && Files.isDirectory(Path.of(folder)),
                "skipped: the reference files (../shared) are not here");
        Path found = Path.of(folder, path);
        assertThat(found).exists();
        return found;
    }

    /** The objects of a .jsonl file. */
    public static List<JsonNode> rows(Path jsonl) {
        try {
            return Files.readString(jsonl).lines().filter(line -> !line.isBlank()).map(Oracle::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    /** The numbers of a float32 tensor. */
    public static float[] floats(Safetensors file, String name) throws IOException {
        TensorInfo tensor = file.find(name)
                .orElseThrow(() -> new AssertionError(file.path() + " has no tensor " + name));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(tensor.byteSize(), 8);
            file.read(tensor, 0, data);
            return data.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** The numbers of an integer tensor. */
    public static int[] ids(Safetensors file, String name) throws IOException {
        TensorInfo tensor = file.find(name)
                .orElseThrow(() -> new AssertionError(file.path() + " has no tensor " + name));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(tensor.byteSize(), 8);
            file.read(tensor, 0, data);
            return switch (tensor.dtype()) {
                case I32 -> data.toArray(ValueLayout.JAVA_INT);
                case I64 -> LongStream.of(data.toArray(ValueLayout.JAVA_LONG)).mapToInt(Math::toIntExact).toArray();
                default -> throw new AssertionError(name + " is of type " + tensor.dtype());
            };
        }
    }
}
