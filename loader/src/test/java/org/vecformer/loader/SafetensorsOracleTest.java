package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The answers of the format's own implementation to good, bad and mutated files. */
class SafetensorsOracleTest {

    @TestFactory
    List<DynamicTest> everyFileGivesTheExpectedOutcome() throws IOException {
        Path folder = SharedFiles.get("oracle/safetensors");
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : Files.readString(folder.resolve("manifest.jsonl")).split("\n")) {
            Map<String, Object> row = parse(line);
            String name = (String) row.get("file");
            tests.add(DynamicTest.dynamicTest(name, () -> check(folder.resolve(name), row)));
        }
        assertThat(tests).hasSizeGreaterThan(200);
        return tests;
    }

    private static Map<String, Object> parse(String line) throws IOException {
        try (JsonParser parser = Json.parser(new ByteArrayInputStream(line.getBytes(StandardCharsets.UTF_8)))) {
            parser.nextToken();
            return Json.object(parser);
        }
    }

    private static void check(Path file, Map<String, Object> row) throws Exception {
        if (row.get("expected").equals("error")) {
            assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(file).close())
                    .withMessageStartingWith(file + ": ");
            return;
        }
        assertThat(row.get("expected")).isEqualTo("ok");
        try (Safetensors open = Safetensors.open(file)) {
            Map<?, ?> tensors = (Map<?, ?>) row.get("tensors");
            assertThat(open.tensors()).extracting(TensorInfo::name).containsExactlyInAnyOrderElementsOf(
                    tensors.keySet().stream().map(String.class::cast).toList());
            for (TensorInfo tensor : open.tensors()) {
                Map<?, ?> expected = (Map<?, ?>) tensors.get(tensor.name());
                assertThat(tensor.dtype().name()).isEqualTo(expected.get("dtype"));
                assertThat(tensor.describe()).isEqualTo(expected.get("dtype") + " " + expected.get("shape"));
                assertThat(sha256(open, tensor)).isEqualTo(expected.get("data_sha256"));
            }
            Object metadata = row.get("metadata");
            assertThat(open.metadata()).isEqualTo(metadata == null ? Map.of() : metadata);
        }
    }

    private static String sha256(Safetensors file, TensorInfo tensor) throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(tensor.byteSize());
            file.read(tensor, 0, memory);
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(memory.asByteBuffer());
            return HexFormat.of().formatHex(digest.digest());
        }
    }

    @Test
    void everyHalfIsReadInOrder() throws IOException {
        Path file = SharedFiles.get("oracle/safetensors/ok-all-f16.safetensors");
        ByteBuffer widened = ByteBuffer.wrap(Files.readAllBytes(file.resolveSibling("f16_to_f32.bin")))
                .order(ByteOrder.LITTLE_ENDIAN);
        try (Safetensors open = Safetensors.open(file)) {
            TensorInfo tensor = open.tensors().iterator().next();
            byte[] bytes = new byte[1 << 17];
            open.read(tensor, 0, MemorySegment.ofArray(bytes));
            ByteBuffer halves = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < 1 << 16; i++) {
                float expected = widened.getFloat(4 * i);
                float actual = Float.float16ToFloat(halves.getShort(2 * i));
                assertThat(Float.floatToIntBits(actual)).isEqualTo(Float.floatToIntBits(expected));
            }
        }
    }

    @Test
    void everyModelOfTheOracleOpens() throws IOException {
        Path models = SharedFiles.get("oracle/models");
        int gpt2 = 0;
        try (var walk = Files.walk(models, 3)) {
            for (Path config : walk.filter(path -> path.endsWith("config.json")).toList()) {
                ModelFiles files = ModelFiles.of(config.getParent());
                try (Checkpoint checkpoint = Checkpoint.open(files)) {
                    assertThat(checkpoint.names()).isNotEmpty();
                }
                if (Files.readString(config).contains("\"model_type\": \"gpt2\"")) {
                    Gpt2Config read = Gpt2Config.read(files.config());
                    assertThat(read.hiddenSize()).isEqualTo(read.heads() * read.headSize());
                    GenerationConfig.read(files.generationConfig());
                    gpt2++;
                } else {
                    assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Gpt2Config.read(config))
                            .withMessageContaining("model_type");
                }
            }
        }
        assertThat(gpt2).isGreaterThan(20);
    }

    @Test
    void allLayoutsOfOneModelHaveTheSameConfigAndTensors() throws IOException {
        Path layouts = SharedFiles.get("oracle/models/gpt2-layouts");
        try (Checkpoint reference = Checkpoint.open(layouts.resolve("hub-gpt2-style"));
                Checkpoint sharded = Checkpoint.open(layouts.resolve("sharded-3"));
                Checkpoint single = Checkpoint.open(layouts.resolve("no-metadata"))) {
            assertThat(sharded.names()).isEqualTo(single.names());
            for (String name : single.names()) {
                TensorInfo one = single.find(name).orElseThrow();
                TensorInfo other = sharded.find(name).orElseThrow();
                assertThat(other.shape()).isEqualTo(one.shape());
                byte[] expected = new byte[(int) one.byteSize()];
                byte[] actual = new byte[(int) one.byteSize()];
                single.read(one, 0, MemorySegment.ofArray(expected));
                sharded.read(other, 0, MemorySegment.ofArray(actual));
                assertThat(actual).isEqualTo(expected);
                // The Hub's file has no prefix.
                assertThat(reference.names()).contains(name.replace("transformer.", ""));
            }
        }
        Gpt2Config minimal = Gpt2Config.read(layouts.resolve("minimal-config/config.json"));
        Gpt2Config openai = Gpt2Config.read(layouts.resolve("openai-2019-config/config.json"));
        assertThat(minimal).isEqualTo(Gpt2Config.ofSizes(1000, 64, 32, 2, 4));
        assertThat(openai.eosTokenIds()).containsExactly(999);
        assertThat(openai.contextLength()).isEqualTo(64);
    }
}
