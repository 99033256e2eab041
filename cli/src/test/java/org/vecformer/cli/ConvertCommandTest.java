package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** convert, as a user sees it. (What becomes of tensors is tested in the loader.) */
class ConvertCommandTest {
    @TempDir
    Path folder;

    private String source;
    private String target;

    @BeforeEach
    void paths() {
        source = CommandRun.embeddedModel().toString();
        target = folder.resolve("target").toString();
    }

    private void assertNothingIsLeft() {
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void aWiderModelWritesTheSameStory() {
        CommandRun run = CommandRun.of("convert", source, target, "--dtype", "f32");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).hasLineCount(1).contains("GPT2LMHeadModel", " tensors", "from safetensors");
        String[] story = {"generate", "Once upon a time", "--greedy", "--max-new-tokens", "12", "--quiet"};
        CommandRun expected = CommandRun.of(story);
        assertThat(expected.status()).isZero();
        List<String> again = new java.util.ArrayList<>(List.of(story));
        again.addAll(List.of("--model", target));
        assertThat(CommandRun.of(again.toArray(String[]::new)).out()).isEqualTo(expected.out());
        Map<String, Object> tensors = CommandRun
                .of("info", "--tensors", target + "/model.safetensors", "--json", "--quiet").object();
        assertThat((List<?>) tensors.get("tensors"))
                .allSatisfy(tensor -> assertThat(CommandRun.asObject(tensor).get("dtype")).isEqualTo("F32"));
    }

    /** A file that was quantized writes what its source writes with quantized weights, and says what it is. */
    @ParameterizedTest
    @ValueSource(strings = {"int8", "int4"})
    void aQuantizedModelWritesWhatItsSourceQuantizedWrites(String type) {
        CommandRun run = CommandRun.of("convert", source, target, "--dtype", type, "--quiet");
        assertThat(run.status()).as(run.err()).isZero();
        String[] story = {"generate", "Once upon a time", "--greedy", "--max-new-tokens", "24"};
        List<String> quantizing = new java.util.ArrayList<>(List.of(story));
        quantizing.addAll(List.of("--model", source, "--weights", type));
        List<String> quantized = new java.util.ArrayList<>(List.of(story));
        quantized.addAll(List.of("--model", target));
        CommandRun expected = CommandRun.of(quantizing.toArray(String[]::new));
        CommandRun actual = CommandRun.of(quantized.toArray(String[]::new));
        assertThat(actual.out()).isEqualTo(expected.out()).isNotBlank();
        assertThat(actual.err()).contains(type + " weights");
        assertThat(expected.err()).contains(type + " weights");
        Map<String, Object> info = CommandRun.of("info", "--model", target, "--json", "--quiet").object();
        assertThat(info).containsEntry("weights", type);
        assertThat(info.get("parameters"))
                .isEqualTo(CommandRun.of("info", "--json", "--quiet").object().get("parameters"));
        CommandRun tensors = CommandRun.of("info", "--tensors", target + "/model.safetensors");
        assertThat(tensors.out().lines())
                .anyMatch(line -> line
                        .contains("wte.weight " + (type.equals("int8") ? "I8 [4096, 256]" : "U8 [4096, 128]")))
                .anyMatch(line -> line.endsWith("wte.weight.scales BF16 [4096, 8]"))
                .contains("metadata vecformer.quantization: " + type);
    }

    @Test
    void theResultAsJson() throws IOException {
        Map<String, Object> result = CommandRun.of("convert", source, target, "--json", "--quiet").object();
        assertThat(result.keySet()).containsExactly("directory", "format", "architecture", "tensors", "elements",
                "bytes", "files", "notes", "warnings");
        assertThat(result).containsEntry("directory", target).containsEntry("format", "safetensors")
                .containsEntry("architecture", "GPT2LMHeadModel").containsEntry("warnings", List.of());
        assertThat(((Number) result.get("bytes")).longValue())
                .isEqualTo(Files.size(Path.of(target).resolve("model.safetensors")));
        assertThat(Path.of(target).toFile().list()).hasSameSizeAs((List<?>) result.get("files"));
    }

    @Test
    void quietlySaysNothing() {
        CommandRun run = CommandRun.of("convert", source, target, "--quiet");
        assertThat(run).isEqualTo(new CommandRun(0, "", ""));
    }

    @Test
    void failuresAreOneLineAndLeaveNothing() throws IOException {
        for (String wrong : List.of(folder.resolve("nowhere").toString(), source + "/vocab.json")) {
            CommandRun run = CommandRun.of("convert", wrong, target);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err()).hasLineCount(1).startsWith("gpt2 convert: ").contains(wrong);
            assertNothingIsLeft();
        }
        assertThat(CommandRun.of("convert", source).status()).isEqualTo(2);
        assertThat(CommandRun.of("convert", source, target, "more").status()).isEqualTo(2);
        assertNothingIsLeft();
        Files.createDirectories(Path.of(target));
        Files.writeString(Path.of(target).resolve("mine"), "precious");
        CommandRun run = CommandRun.of("convert", source, target);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("not empty");
        assertThat(Path.of(target).toFile().list()).containsExactly("mine");
    }

    @Test
    void interruptedItLeavesNothing() {
        Interruption interruption = new Interruption();
        interruption.endCleanly();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = CommandRun.run(new byte[0], out, err, interruption, "convert", source, target);
        assertThat(status).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8)).isEmpty();
        assertNothingIsLeft();
    }
}
