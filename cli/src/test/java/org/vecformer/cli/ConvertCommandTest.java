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
