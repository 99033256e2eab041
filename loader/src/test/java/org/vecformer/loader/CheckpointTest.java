package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One file or shards behind one interface. */
class CheckpointTest {
    private static final String GOOD = """
            {"metadata": {"total_size": 12}, "weight_map": {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}""";

    @TempDir
    Path folder;

    @BeforeEach
    void writeShards() throws IOException {
        SafetensorsFiles.write(folder.resolve("one.safetensors"), "a", 1, "b", 2);
        SafetensorsFiles.write(folder.resolve("two.safetensors"), "c", 3);
    }

    private Path index(String json) throws IOException {
        return Files.writeString(folder.resolve("model.safetensors.index.json"), json);
    }

    private static float value(Checkpoint checkpoint, String name) throws IOException {
        byte[] bytes = new byte[4];
        checkpoint.read(checkpoint.find(name).orElseThrow(), 0, MemorySegment.ofArray(bytes));
        return MemorySegment.ofArray(bytes).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
    }

    @Test
    void joinsShards() throws IOException {
        Path index = index(GOOD);
        for (Path path : new Path[]{folder, index}) {
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                assertThat(checkpoint.names()).containsExactlyInAnyOrder("a", "b", "c");
                assertThat(value(checkpoint, "a")).isEqualTo(1);
                assertThat(value(checkpoint, "b")).isEqualTo(2);
                assertThat(value(checkpoint, "c")).isEqualTo(3);
                assertThat(checkpoint.file("c")).isEqualTo(folder.resolve("two.safetensors"));
                assertThat(checkpoint.find("d")).isEmpty();
                assertThatIllegalArgumentException().isThrownBy(() -> checkpoint.file("d"));
            }
        }
    }

    @Test
    void opensOneFile() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("two.safetensors"))) {
            assertThat(checkpoint.names()).containsExactly("c");
            assertThat(checkpoint.metadata()).isEmpty();
            TensorInfo foreign = new TensorInfo("x", DType.F32, java.util.List.of(1L), 8, 4);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> checkpoint.read(foreign, 0, MemorySegment.ofArray(new byte[4])));
        }
    }

    @Test
    void joinsMetadataTheFirstShardWins() throws IOException {
        Files.write(folder.resolve("one.safetensors"),
                SafetensorsFiles.bytes("{\"__metadata__\":{\"x\":\"1\",\"y\":\"1\"},\"a\":[\"F32\",[0],[0,0]]}"));
        Files.write(folder.resolve("two.safetensors"),
                SafetensorsFiles.bytes("{\"__metadata__\":{\"y\":\"2\",\"z\":\"2\"},\"c\":[\"F32\",[0],[0,0]]}"));
        index("{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.metadata()).containsEntry("x", "1").containsEntry("y", "1").containsEntry("z", "2");
        }
    }

    @Test
    void aTensorThatTheIndexDoesNotListIsThereToo() throws IOException {
        index("{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(value(checkpoint, "b")).isEqualTo(2);
        }
    }

    private void assertRefused(String json, String... parts) throws IOException {
        Path index = index(json);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Checkpoint.open(folder).close())
                .withMessageStartingWith(index.toString())
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    @Test
    void refusesAnIndexThatDoesNotFitTheShards() throws IOException {
        assertRefused(GOOD.replace("\"c\"", "\"d\""), "\"d\" is in two.safetensors", "in none of the shards");
        assertRefused(GOOD.replace("\"b\": \"one", "\"b\": \"two"), "\"b\" is in two.safetensors",
                "but it is in one.safetensors");
        index(GOOD.replace("two", "three"));
        assertThatThrownBy(() -> Checkpoint.open(folder)).isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("three.safetensors");
    }

    @Test
    void refusesATensorInTwoShards() throws IOException {
        SafetensorsFiles.write(folder.resolve("two.safetensors"), "c", 3, "a", 1);
        index(GOOD);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Checkpoint.open(folder))
                .withMessageContaining("\"a\" is also in").withMessageContaining("one.safetensors")
                .withMessageContaining("two.safetensors");
    }

    @Test
    void refusesABadIndex() throws IOException {
        assertRefused("", "nothing");
        assertRefused("[]", "expected a JSON object");
        assertRefused("{}", "weight_map is missing");
        assertRefused("{\"weight_map\":{}}", "weight_map is empty");
        assertRefused("{\"weight_map\":[]}", "weight_map is an array");
        assertRefused("{\"weight_map\":{\"a\":1}}", "weight_map of \"a\" is 1, expected a file name");
        assertRefused("{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}}", "not valid JSON",
                "Duplicate");
        assertRefused(GOOD + "x", "not valid JSON");
        assertRefused("version https://git-lfs.github.com/spec/v1\nsize 1\n", "Git LFS pointer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../one.safetensors", "/etc/passwd", "sub/../../one.safetensors", "..", ".", "", "a//b",
        "C:\\\\one.safetensors", "..\\\\one.safetensors", "C:one", "x\\u0000y", "./one.safetensors"})
    void refusesShardNamesThatLeadOutOfTheDirectory(String name) throws IOException {
        assertRefused("{\"weight_map\":{\"a\":\"" + name + "\"}}", "weight_map of \"a\"", "same directory");
    }

    @Test
    void refusesShardsWithoutAnIndexAndDirectoriesWithoutWeights() throws IOException {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Checkpoint.open(folder))
                .withMessageContaining("2 safetensors files (one.safetensors, two.safetensors)");
        Files.delete(folder.resolve("two.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("a", "b");
        }
        Files.delete(folder.resolve("one.safetensors"));
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Checkpoint.open(folder))
                .withMessageContaining("there are no weights");
        Files.createFile(folder.resolve("pytorch_model.bin"));
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Checkpoint.open(folder))
                .withMessageContaining("pytorch_model.bin").withMessageContaining("convert them to safetensors");
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> Checkpoint.open(folder.resolve("pytorch_model.bin")))
                .withMessageContaining("does not end in .safetensors");
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("none"))).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void mutatedIndexesThrowNothingButIoExceptions() throws IOException {
        byte[] good = GOOD.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (int seed = 0; seed < 1500; seed++) {
            Files.write(folder.resolve("model.safetensors.index.json"),
                    SafetensorsTest.mutate(good, new Random(seed)));
            try {
                Checkpoint.open(folder).close();
            } catch (IOException e) {
                assertThat(e).as("seed %d", seed).hasMessageContaining(folder.toString());
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }
}
