package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * evaluate-dialog on tiny persona chat models and the embedded one. The reference's numbers are in the engine's test
 * resources, where README.md says how they were made.
 */
class EvaluateDialogCommandTest {
    private static final Path CHATS = Path.of("../engine/src/test/resources/dialog");
    private static final String TEXT = CHATS.resolve("persona-chat.txt").toString();
    private static final String JSON = CHATS.resolve("persona-chat.json").toString();
    private static final String GPT2 = CHATS.resolve("tiny-gpt2").toString();

    @TempDir
    Path folder;

    private static CommandRun evaluate(String file, String... options) {
        return CommandRun.of(Stream.concat(Stream.of("evaluate-dialog", file), Arrays.stream(options))
                .toArray(String[]::new));
    }

    private static CommandRun good(String file, String... options) {
        CommandRun run = evaluate(file, options);
        assertThat(run.status()).as(run.err()).isZero();
        return run;
    }

    private String results(String name) {
        return folder.resolve(name).toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-openai-gpt", "tiny-gpt2"})
    void theReferencesNumbers(String model) throws IOException {
        List<String> rows = Files.readAllLines(CHATS.resolve("persona-chat-" + model + ".jsonl"));
        Map<String, Object> expected = CommandRun.asObject(CommandRun.json(rows.getLast()));
        for (String file : List.of(TEXT, JSON)) {
            Map<String, Object> result = good(file, "--json", "--model", CHATS.resolve(model).toString()).object();
            assertThat(result).containsOnlyKeys("examples", "hits_at_1", "perplexity", "f1", "candidates",
                    "ranked_by", "format", "tokens", "too_long", "seed");
            for (String name : List.of("hits_at_1", "perplexity", "f1")) {
                assertThat((double) result.get(name)).as(name).isCloseTo((double) expected.get(name), within(1e-5));
            }
            assertThat(result).containsEntry("examples", 17).containsEntry("tokens", expected.get("tokens"))
                    .containsEntry("candidates", 7).containsEntry("ranked_by", "next-utterance head")
                    .containsEntry("too_long", 0).containsEntry("seed", null);
        }
    }

    @Test
    void theTable() {
        CommandRun run = good(TEXT, "--model", GPT2);
        assertThat(run.out().lines()).containsExactly(
                "hits@1      0.4118 (7 of 17, 7 candidates, by next-utterance head)", "perplexity  1.4896 (139 tokens)",
                "F1          0.7075", "examples    17", "too long    0",
                "dialogs as  <speaker1> and <speaker2>, as the model was trained");
        assertThat(run.err()).hasLineCount(1).startsWith("gpt2 evaluate-dialog: ");
        assertThat(good(TEXT, "--model", GPT2, "--no-f1", "--quiet").out()).isEqualTo(
                run.out().replaceAll("F1 .*\n", ""));
    }

    @Test
    void theEmbeddedModelReadsATranscript() {
        Map<String, Object> result = good(TEXT, "--json", "--limit", "3", "--max-new-tokens", "5").object();
        assertThat(result).containsEntry("examples", 3).containsEntry("ranked_by", "mean log-probability");
        assertThat((double) result.get("perplexity")).isBetween(2., 1000.);
        assertThat((double) result.get("f1")).isBetween(0., 1.);
    }

    /** Four more lines of a dialog each time: what is drawn for an example does not depend on those behind it. */
    @Test
    void distractorsAreDrawnWhereTheFileHasNone() throws IOException {
        String bare = Files.writeString(folder.resolve("bare.txt"), Files.readString(Path.of(TEXT))
                .replaceAll("(?m)\t\t.*$", "")).toString();
        Map<String, Object> result = good(bare, "--json", "--no-f1", "--candidates", "5", "--model", GPT2,
                "--results", results("a")).object();
        assertThat(result).containsEntry("candidates", 5).containsEntry("seed", 42).containsEntry("f1", null);
        Map<String, Object> other = good(bare, "--json", "--no-f1", "--candidates", "5", "--model", GPT2, "--seed",
                "7", "--results", results("b")).object();
        assertThat(other).containsEntry("seed", 7);
        assertThat(other.get("perplexity")).isEqualTo(result.get("perplexity"));
        List<String> first = Files.readAllLines(Path.of(results("a")));
        List<String> second = Files.readAllLines(Path.of(results("b")));
        assertThat(first).hasSameSizeAs(second);
        assertThat(first.subList(1, 18)).isNotEqualTo(second.subList(1, 18));
        CommandRun few = evaluate(bare, "--no-f1", "--model", GPT2);
        assertThat(few.status()).isEqualTo(1);
        assertThat(few.err()).contains("19 are needed").hasLineCount(1);
    }

    @Test
    void repliesAreDrawnByTheSeed() throws IOException {
        List<List<String>> replies = new ArrayList<>();
        for (String seed : List.of("1", "1", "2")) {
            String file = results("r" + replies.size());
            good(TEXT, "--limit", "6", "--temperature", "3", "--seed", seed, "--model", GPT2, "--results", file);
            replies.add(Files.readAllLines(Path.of(file)).subList(1, 7));
        }
        assertThat(replies.get(0)).isEqualTo(replies.get(1)).isNotEqualTo(replies.get(2));
        // Each example has a seed of its own.
        good(TEXT, "--limit", "2", "--max-new-tokens", "2", "--min-new-tokens", "2", "--model", GPT2, "--results",
                results("short"));
        assertThat(Files.readString(Path.of(results("short")))).contains("\"reply\":\"yes ,\"");
    }

    @Test
    void whatIsTooLongIsCounted() throws IOException {
        String file = Files.writeString(folder.resolve("long.txt"),
                "1 hello\thi .\t\tno .|hi .\n1 your persona: " + "i am from paris . ".repeat(60)
                        + "\n2 hello\thi .\t\tno .|hi .\n1 hello\thi .\t\tno .|hi .\n")
                .toString();
        Map<String, Object> result = good(file, "--json", "--model", GPT2, "--results", results("long")).object();
        assertThat(result).containsEntry("examples", 2).containsEntry("too_long", 1);
        assertThat(good(file, "--json", "--model", GPT2, "--results", results("long")).object()).isEqualTo(result);
        String nothing = Files.writeString(folder.resolve("nothing.txt"),
                "1 " + "i am from paris . ".repeat(60) + "\thi .\t\tno .|hi .\n").toString();
        assertThat(good(nothing, "--json", "--model", GPT2).object()).containsEntry("examples", 0)
                .containsEntry("hits_at_1", null).containsEntry("perplexity", null).containsEntry("f1", null);
    }

    /** In parts, with a last line that was not written to its end, and in one run: the same bits. */
    @Test
    void goesOnWhereItEnded() throws IOException {
        String[] options = {"--json", "--temperature", "2", "--model", GPT2};
        String whole = good(TEXT, with(options, "--results", results("whole"))).out();
        assertThat(good(TEXT, options).out()).isEqualTo(whole);
        String[] parts = with(options, "--results", results("parts"));
        good(TEXT, with(parts, "--limit", "5"));
        good(TEXT, with(parts, "--limit", "11"));
        Path file = Path.of(results("parts"));
        String eleven = Files.readString(file);
        Files.writeString(file, eleven.substring(0, eleven.length() - 30));
        CommandRun rest = good(TEXT, parts);
        assertThat(rest.out()).isEqualTo(whole);
        assertThat(rest.err()).contains("10 examples were done before");
        assertThat(file).hasSameTextualContentAs(Path.of(results("whole")));
        // All done: nothing is computed, and fewer are asked for.
        assertThat(good(TEXT, parts).out()).isEqualTo(whole);
        assertThat(good(TEXT, with(parts, "--limit", "5")).out()).isEqualTo(good(TEXT, with(options, "--limit", "5"))
                .out());
    }

    private static String[] with(String[] options, String... more) {
        return Stream.concat(Arrays.stream(options), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void resultsOfSomethingElseAreRefused() throws IOException {
        String[] options = {"--limit", "1", "--model", GPT2, "--results", results("results")};
        good(TEXT, options);
        for (String[] other : new String[][]{{"--seed", "1"}, {"--max-history", "1"}, {"--candidates", "4"},
            {"--no-f1"}, {"--top-k", "4"}, {"--max-new-tokens", "4"}, {"--weights", "bf16"}}) {
            CommandRun run = evaluate(TEXT, with(options, other));
            assertThat(run.status()).as(other[0]).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("another evaluation");
        }
        good(TEXT, "--limit", "1", "--model", GPT2, "--top-p", "0.5", "--results", results("drawn"));
        assertThat(evaluate(TEXT, "--limit", "1", "--model", GPT2, "--top-p", "0.6", "--results", results("drawn"))
                .err()).contains("top_p 0.5", "top_p 0.6");
        CommandRun run = evaluate(JSON, options);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("file is persona-chat.txt, here it is persona-chat.json");
        assertThat(good(TEXT, with(options, "--threads", "1", "--backend", "scalar")).err())
                .contains("1 examples were done before");
    }

    /** The same name and size, other weights. */
    @Test
    void resultsOfAModelThatHasChangedAreRefused() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(Path.of(GPT2))) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        String[] options = {"--model", model.toString(), "--results", results("changing")};
        good(TEXT, with(options, "--limit", "3"));
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        // The least digits of some of the numbers.
        for (int i = bytes.length - 4000; i < bytes.length; i += 4) {
            bytes[i] ^= 0x55;
        }
        Files.write(weights, bytes);
        CommandRun run = evaluate(TEXT, options);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("example 3 comes out otherwise");
        assertThat(Files.readAllLines(Path.of(results("changing")))).hasSize(4);
    }

    @Test
    void anInterruptionKeepsWhatIsDone() throws Exception {
        // Enough that it is not over before it is interrupted.
        String file = Files.writeString(folder.resolve("many.txt"), Files.readString(Path.of(TEXT)).repeat(200))
                .toString();
        Path kept = folder.resolve("kept");
        Interruption interruption = new Interruption();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        CompletableFuture<Integer> status = CompletableFuture.supplyAsync(() -> {
            int result = CommandRun.run(new byte[0], out, err, interruption, "evaluate-dialog", file, "--model", GPT2,
                    "--results", kept.toString());
            interruption.finished();
            return result;
        });
        while (!status.isDone() && (!Files.exists(kept) || Files.readString(kept).lines().count() < 4)) {
            Thread.onSpinWait();
        }
        interruption.endCleanly();
        assertThat(status.get()).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
        int done = Files.readAllLines(kept).size() - 1;
        assertThat(done).isBetween(3, 3399);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("interrupted behind example " + done);
        String limit = String.valueOf(done + 5);
        CommandRun rest = good(file, "--json", "--limit", limit, "--model", GPT2, "--results", kept.toString());
        assertThat(rest.err()).contains(done + " examples were done before");
        assertThat(rest.out()).isEqualTo(good(file, "--json", "--limit", limit, "--model", GPT2).out());
    }

    @Test
    void whatIsNoDialogFileOrNoModelForIt() throws IOException {
        String csv = Files.writeString(folder.resolve("x.csv"), "user 1 personas,user 2 personas\n").toString();
        CommandRun run = evaluate(csv, "--model", GPT2);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("no PersonaChat file");
        assertThat(evaluate(results("nowhere")).err()).hasLineCount(1).contains("there is no file");
        Path tokenizerless = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors");
        run = evaluate(TEXT, "--model", tokenizerless.toString());
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("no tokenizer files");
    }
}
