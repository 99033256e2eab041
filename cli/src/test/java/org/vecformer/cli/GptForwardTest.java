package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;
import org.vecformer.loader.TensorInfo;

/** The numbers of a GPT's run in a file: with token types, of both heads, of a classifier. */
class GptForwardTest {

    private static final Path DIALOGS = Path.of("../engine/src/test/resources/dialog");

    @TempDir
    private Path folder;

    private static float[] floats(Path file, String name) throws IOException {
        try (Safetensors tensors = Safetensors.open(file); Arena arena = Arena.ofConfined()) {
            TensorInfo tensor = tensors.find(name).orElseThrow();
            MemorySegment data = arena.allocate(tensor.byteSize(), 8);
            tensors.read(tensor, 0, data);
            return data.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static String numbers(Object list) {
        return list.toString().replaceAll("[\\[\\] ]", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-gpt2", "tiny-openai-gpt"})
    void bothHeadsAgreeWithTheReference(String name) throws IOException {
        Path model = DIALOGS.resolve(name);
        Path file = folder.resolve("numbers.safetensors");
        for (String line : Files.readAllLines(model.resolve("golden.jsonl"))) {
            Map<String, Object> row = CommandRun.asObject(CommandRun.json(line));
            CommandRun run = CommandRun.of("forward", "--ids", numbers(row.get("input_ids")), "--type-ids",
                    numbers(row.get("token_type_ids")), "--model", model.toString(), "--output", file.toString());
            assertThat(run.status()).as(run.err()).isZero();
            double expected = ((Number) ((List<?>) row.get("mc_logits")).getFirst()).doubleValue();
            assertThat(floats(file, "mc_logits")).hasSize(1);
            assertThat((double) floats(file, "mc_logits")[0]).isCloseTo(expected, Offset.offset(2e-4));
        }
        float[] logits = floats(file, "logits");
        float[] last = floats(model.resolve("golden.safetensors"), "p3.lm_logits_last");
        for (int i = 0; i < last.length; i++) {
            assertThat(logits[logits.length - last.length + i]).isCloseTo(last[i], Offset.offset(2e-4f));
        }
    }

    /** As many numbers a position as there are labels, not as there are tokens. */
    @Test
    void aClassifierHasItsLabels() throws IOException {
        Path model = folder.resolve("classifier");
        Files.createDirectories(model);
        Files.writeString(model.resolve("config.json"), """
                {"model_type": "gpt2", "vocab_size": 9, "n_positions": 8, "n_embd": 4, "n_layer": 1, "n_head": 1,
                 "architectures": ["GPT2ForTokenClassification"]}
                """);
        List<Declaration> tensors = List.of(Declaration.f32("wte.weight", 9, 4), Declaration.f32("wpe.weight", 8, 4),
                Declaration.f32("h.0.ln_1.weight", 4), Declaration.f32("h.0.ln_1.bias", 4),
                Declaration.f32("h.0.attn.c_attn.weight", 4, 12), Declaration.f32("h.0.attn.c_attn.bias", 12),
                Declaration.f32("h.0.attn.c_proj.weight", 4, 4), Declaration.f32("h.0.attn.c_proj.bias", 4),
                Declaration.f32("h.0.ln_2.weight", 4), Declaration.f32("h.0.ln_2.bias", 4),
                Declaration.f32("h.0.mlp.c_fc.weight", 4, 16), Declaration.f32("h.0.mlp.c_fc.bias", 16),
                Declaration.f32("h.0.mlp.c_proj.weight", 16, 4), Declaration.f32("h.0.mlp.c_proj.bias", 4),
                Declaration.f32("ln_f.weight", 4), Declaration.f32("ln_f.bias", 4),
                Declaration.f32("classifier.weight", 3, 4), Declaration.f32("classifier.bias", 3));
        try (SafetensorsWriter writer = SafetensorsWriter.create(model.resolve("model.safetensors"), tensors,
                Map.of())) {
            for (Declaration tensor : tensors) {
                float[] values = new float[(int) tensor.shape().stream().mapToLong(size -> size).reduce(1,
                        (a, b) -> a * b)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (i * 7 % 5 - 2) / 3f;
                }
                writer.append(values);
            }
            writer.finish();
        }
        Path file = folder.resolve("numbers.safetensors");
        CommandRun run = CommandRun.of("forward", "--ids", "1,2,3,4", "--model", model.toString(), "--output",
                file.toString());
        assertThat(run.status()).as(run.err()).isZero();
        try (Safetensors written = Safetensors.open(file)) {
            assertThat(written.find("logits").orElseThrow().shape()).containsExactly(4L, 3L);
        }
        assertThat(floats(file, "logits")).doesNotContain(Float.NaN);
    }
}
