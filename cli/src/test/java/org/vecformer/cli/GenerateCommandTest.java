package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
    @TempDir
    Path folder;

    private static List<Map<String, Object>> golden() throws IOException {
        return Files.readAllLines(Path.of("src/test/resources/storyteller-golden.jsonl")).stream()
                .map(line -> CommandRun.asObject(CommandRun.json(line))).toList();
    }

    private static Map<String, Object> sequence(Map<String, Object> result) {
        List<?> sequences = (List<?>) result.get("sequences");
        assertThat(sequences).hasSize(1);
        return CommandRun.asObject(sequences.get(0));
    }

    @Test
    void theEmbeddedModelWritesWhatTheReferenceWrites() throws IOException {
        List<Map<String, Object>> golden = golden();
        assertThat(golden).isNotEmpty();
        StringBuilder input = new StringBuilder();
        for (Map<String, Object> row : golden) {
            input.append("{\"ids\":").append(row.get("prompt_ids")).append("}\n");
        }
        CommandRun run = CommandRun.withInput(input.toString(), "generate", "--greedy", "--max-new-tokens", "40",
                "--jsonl", "--ignore-eos");
        assertThat(run.status()).as(run.err()).isZero();
        List<Map<String, Object>> results = run.objects();
        assertThat(results).hasSameSizeAs(golden);
        for (int i = 0; i < golden.size(); i++) {
            assertThat(results.get(i).get("prompt_ids")).isEqualTo(golden.get(i).get("prompt_ids"));
            assertThat(sequence(results.get(i)).get("ids")).isEqualTo(golden.get(i).get("greedy_ids"));
        }
    }

    @Test
    void theStreamIsTheTextOfTheReference() throws IOException {
        Map<String, Object> row = golden().get(0);
        CommandRun run = CommandRun.of("generate", (String) row.get("prompt"), "--greedy", "--max-new-tokens", "40",
                "--quiet");
        assertThat(run.out()).isEqualTo(row.get("greedy_text") + "\n");
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
    }

    @Test
    void theShapeOfTheJsonResult() {
        CommandRun run = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "3", "--json");
        assertThat(run.out()).hasLineCount(1);
        Map<String, Object> result = run.object();
        assertThat(result).containsOnlyKeys("prompt_ids", "sequences", "timing");
        assertThat(result.get("prompt_ids")).isEqualTo(List.of(567, 510, 259, 445));
        assertThat(sequence(result)).containsExactly(Map.entry("text", ", there was"),
                Map.entry("ids", List.of(12, 418, 293)),
                Map.entry("finish_reason", "length"));
        Map<String, Object> timing = CommandRun.asObject(result.get("timing"));
        assertThat(timing).containsOnlyKeys("load_seconds", "prompt_seconds", "generation_seconds",
                "tokens_per_second");
        assertThat(timing.values()).allSatisfy(seconds -> assertThat((double) seconds).isPositive());
    }

    @Test
    void echoPutsThePromptBefore() {
        CommandRun run = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "2", "--echo",
                "--json");
        assertThat(sequence(run.object())).containsEntry("text", "Once upon a time, there").containsEntry("ids",
                List.of(567, 510, 259, 445, 12, 418));
        assertThat(CommandRun.of("generate", "--ids", "567,510", "--greedy", "--max-new-tokens", "2", "--echo").out())
                .startsWith("Once upon a time");
    }

    @Test
    void theSameSeedGivesTheSameText() {
        String[] line = {"generate", "Once", "--max-new-tokens", "30", "--seed", "11", "--quiet", "--threads", "1"};
        CommandRun first = CommandRun.of(line);
        line[8] = "3";
        CommandRun second = CommandRun.of(line);
        assertThat(first.out()).isEqualTo(second.out());
    }

    @Test
    void aSeedThatWasMadeUpIsShownAndCanBeUsedAgain() {
        CommandRun run = CommandRun.of("generate", "Once", "--max-new-tokens", "30");
        String seed = run.err().lines().filter(line -> line.contains("--seed ")).findFirst().orElseThrow()
                .replaceAll(".*--seed (\\d+).*", "$1");
        CommandRun again = CommandRun.of("generate", "Once", "--max-new-tokens", "30", "--seed", seed);
        assertThat(again.out()).isEqualTo(run.out());
        assertThat(again.err()).doesNotContain("--seed ");
        assertThat(CommandRun.of("generate", "Once", "--max-new-tokens", "30", "--quiet").err()).isEmpty();
    }

    @Test
    void aModelThatRecommendsNothingIsGreedyUntilSamplingIsAskedFor() {
        Path model = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors", "vocab.json",
                "merges.txt");
        String[] line = {"generate", "Once", "--max-new-tokens", "30", "--quiet", "--model", model.toString()};
        String greedy = CommandRun.of("generate", "Once", "--max-new-tokens", "30", "--quiet", "--greedy").out();
        assertThat(CommandRun.of(line).out()).isEqualTo(greedy);
        List<String> sampled = new ArrayList<>(List.of(line));
        sampled.addAll(List.of("--seed", "2"));
        assertThat(CommandRun.of(sampled.toArray(String[]::new)).out()).isNotEqualTo(greedy);
    }

    @Test
    void recommendationsThatCannotBeFollowedAreSaid() throws IOException {
        Path model = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors", "vocab.json",
                "merges.txt");
        Files.writeString(model.resolve("generation_config.json"),
                "{\"dola_layers\": \"high\", \"max_new_tokens\": 7}");
        CommandRun run = CommandRun.of("generate", "Once", "--model", model.toString(), "--json");
        assertThat(run.err()).contains("dola_layers");
        assertThat((List<?>) sequence(run.object()).get("ids")).hasSize(7);
    }

    @Test
    void aModelIsADirectoryAFileOrAName() {
        Path model = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors", "vocab.json",
                "merges.txt");
        String expected = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "5", "--quiet")
                .out();
        for (Path named : List.of(model, model.resolve("model.safetensors"))) {
            CommandRun run = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "5",
                    "--quiet", "--model",
                    named.toString());
            assertThat(run.out()).as(run.err()).isEqualTo(expected);
        }
        CommandRun unknown = CommandRun.of("generate", "x", "--model", "nobody/has-this-model");
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.err()).hasLineCount(1).contains("nobody/has-this-model");
    }

    @Test
    void theEndTokenEndsTheText() throws IOException {
        // The second token that the model writes is made its end token.
        Path model = CommandRun.copyOfModel(folder.resolve("m"), "model.safetensors", "vocab.json", "merges.txt");
        Files.writeString(model.resolve("config.json"),
                Files.readString(CommandRun.embeddedModel().resolve("config.json")).replace("\"eos_token_id\": 0",
                        "\"eos_token_id\": 418"));
        CommandRun run = CommandRun.of("generate", "Once upon a time", "--greedy", "--json", "--model",
                model.toString());
        assertThat(sequence(run.object())).containsEntry("ids", List.of(12, 418)).containsEntry("finish_reason", "eos");
        CommandRun on = CommandRun.of("generate", "Once upon a time", "--greedy", "--json", "--model", model.toString(),
                "--ignore-eos",
                "--max-new-tokens", "4");
        assertThat(sequence(on.object())).containsEntry("ids", List.of(12, 418, 293, 259))
                .containsEntry("finish_reason", "length");
    }

    @Test
    void withoutAPromptTheModelBegins() {
        assertThat(CommandRun.of("generate", "--greedy", "--max-new-tokens", "2", "--json").object())
                .containsEntry("prompt_ids", List.of(0));
        assertThat(CommandRun.of("generate", "", "--greedy", "--max-new-tokens", "2", "--json").object()).containsEntry(
                "prompt_ids",
                List.of(0));
    }

    @Test
    void aModelWithoutTokenizerWorksWithIds() {
        String model = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors").toString();
        assertThat(CommandRun
                .of("generate", "--ids", "567,510,259,445", "--greedy", "--max-new-tokens", "3", "--quiet", "--model",
                        model)
                .out()).isEqualTo("12 418 293\n");
        assertThat(CommandRun
                .of("generate", "--ids", "567,510,259,445", "--greedy", "--max-new-tokens", "2", "--quiet", "--echo",
                        "--model", model)
                .out())
                .isEqualTo("567 510 259 445 12 418\n");
        CommandRun json = CommandRun.of("generate", "--ids", "567,510,259,445", "--json", "--greedy",
                "--max-new-tokens", "1", "--model",
                model);
        assertThat(sequence(json.object())).containsEntry("ids", List.of(12)).containsEntry("text", null);
        for (String[] line : new String[][]{{"generate", "Once", "--model", model},
            {"tokenize", "Once", "--model", model}, {"detokenize", "5", "--model", model}}) {
            CommandRun run = CommandRun.of(line);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("tokenizer");
        }
    }

    @Test
    void aPromptThatDoesNotFitIsRefusedOrCut() {
        String ids = "567" + ",510".repeat(599);
        CommandRun refused = CommandRun.of("generate", "--ids", ids, "--greedy");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).hasLineCount(1).contains("600").contains("512");
        CommandRun cut = CommandRun.of("generate", "--ids", ids, "--greedy", "--truncate", "--max-new-tokens", "12",
                "--json");
        assertThat((List<?>) cut.object().get("prompt_ids")).hasSize(500);
        assertThat((List<?>) sequence(cut.object()).get("ids")).hasSize(12);
    }

    @Test
    void linesAreAnsweredInOrderAndABadOneIsNamed() {
        CommandRun run = CommandRun.withInput(
                "{\"text\":\"Once upon a time\"}\n\n{\"ids\":[567]}\n{\"text\":\"x\",\"top_k\":1}\n{\"ids\":[1]}",
                "generate", "--jsonl", "--greedy", "--max-new-tokens", "1");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.objects()).extracting(o -> o.get("prompt_ids")).containsExactly(List.of(567, 510, 259, 445),
                List.of(567));
        assertThat(run.err()).hasLineCount(1).contains("line 4").contains("top_k");
        for (String bad : List.of("[1]", "{", "{}", "{\"ids\":[1.5]}", "{\"ids\":[-1]}", "{\"ids\":[99999999999]}",
                "{\"text\":1}",
                "{\"text\":\"a\",\"ids\":[1]}", "{\"text\":\"a\"} x", "{\"text\":\"a\",\"pair\":\"b\"}",
                "{\"ids\":[4096]}", "{\"ids\":[]}",
                "{\"text\":\"a\",\"text\":\"b\"}", "nonsense")) {
            CommandRun refused = CommandRun.withInput(bad, "generate", "--jsonl", "--quiet");
            assertThat(refused.status()).as(bad).isEqualTo(1);
            assertThat(refused.err()).as(bad).hasLineCount(1).contains("line 1");
        }
    }

    @Test
    void textComesFromStandardInputAndFromFiles() throws IOException {
        CommandRun expected = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "5",
                "--quiet");
        assertThat(CommandRun.withInput("Once upon a time", "generate", "-", "--greedy", "--max-new-tokens", "5",
                "--quiet"))
                .isEqualTo(expected);
        Path file = Files.writeString(folder.resolve("prompt.txt"), "Once upon a time");
        assertThat(CommandRun.of("generate", "@" + file, "--greedy", "--max-new-tokens", "5", "--quiet"))
                .isEqualTo(expected);
        CommandRun missing = CommandRun.of("generate", "@" + folder.resolve("none"));
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).hasLineCount(1).contains("none").contains("@");
        CommandRun bytes = CommandRun.withInput(new byte[]{'a', (byte) 0xFC}, "generate", "-");
        assertThat(bytes.status()).isEqualTo(1);
        assertThat(bytes.err()).hasLineCount(1).contains("UTF-8");
    }

    @Test
    void damagedModelsAreRefusedInOneLine() throws IOException {
        Path truncated = CommandRun.copyOfModel(folder.resolve("truncated"), "config.json", "vocab.json", "merges.txt");
        byte[] weights = Files.readAllBytes(CommandRun.embeddedModel().resolve("model.safetensors"));
        Files.write(truncated.resolve("model.safetensors"), java.util.Arrays.copyOf(weights, weights.length / 2));
        Path noConfig = CommandRun.copyOfModel(folder.resolve("no-config"), "model.safetensors");
        Path badConfig = CommandRun.copyOfModel(folder.resolve("bad-config"), "model.safetensors");
        Files.writeString(badConfig.resolve("config.json"), "{\"model_type\": \"gpt2\"");
        Path empty = Files.createDirectories(folder.resolve("empty"));
        for (Path model : List.of(truncated, noConfig, badConfig, empty, folder.resolve("nowhere"))) {
            CommandRun run = CommandRun.of("generate", "--ids", "1", "--model", model.toString());
            assertThat(run.status()).as(model.toString()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err().lines().filter(line -> line.startsWith("gpt2 generate: "))).as(run.err()).hasSize(1);
            assertThat(run.err()).contains(model.getFileName().toString()).doesNotContain("\tat ");
        }
        assertThat(CommandRun.of("generate", "--ids", "1", "--model", truncated.toString(), "--debug").err())
                .contains("\tat ");
    }

    @Test
    void anInterruptionEndsTheTextCleanly() {
        Interruption interruption = new Interruption();
        ByteArrayOutputStream out = new ByteArrayOutputStream() {
            private int flushes;

            @Override
            public void flush() throws IOException {
                if (++flushes == 5) {
                    // As the JVM's shutdown hook does it: it waits for the command to end.
                    Thread hook = new Thread(interruption::endCleanly);
                    hook.start();
                    while (!interruption.requested()) {
                        Thread.onSpinWait();
                    }
                }
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = CommandRun.run(new byte[0], out, err, interruption, "generate", "Once upon a time", "--greedy");
        interruption.finished();
        assertThat(status).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith(", there was a little").endsWith("\n")
                .hasSizeLessThan(60);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("(cancelled)");
    }

    @Test
    void aReaderThatHasGoneIsNoFailureButAFullDiskIs() {
        OutputStream pipe = failing("Broken pipe");
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(CommandRun.run(new byte[0], pipe, err, new Interruption(), "generate", "Once", "--quiet")).isZero();
        assertThat(err.size()).isZero();
        OutputStream disk = failing("No space left on device");
        assertThat(CommandRun.run(new byte[0], disk, err, new Interruption(), "generate", "Once", "--quiet"))
                .isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).hasLineCount(1).contains("No space left on device");
    }

    private static OutputStream failing(String message) {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException(message);
            }
        };
    }
}
