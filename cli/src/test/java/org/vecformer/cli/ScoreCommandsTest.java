package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * score, next, predict and evaluate. The numbers are those of Hugging Face's GPT2LMHeadModel (transformers 5.18, float32)
 * with the embedded model's files.
 */
class ScoreCommandsTest {
    private static final String STORY = "Once upon a time there was a little girl. Her name was Zoë.";
    private static final List<Integer> STORY_IDS = List.of(567, 510, 259, 445, 418, 293, 259, 414, 547, 14, 1149, 1251,
            293, 2983, 79, 128, 105, 14);
    private static final double[] STORY_LOGPROBS = {-0.06065, -0.00859, -0.00069, -1.40109, -0.05607, -0.02824,
        -0.91015, -0.42236, -3.11558, -3.2407, -0.32106, -0.01337, -9.82875, -4.5948, -12.65343, -3.59736, -5.97526};
    private static final double STORY_PERPLEXITY = 15.169746713662109;

    @TempDir
    Path folder;

    private static void isClose(Object number, double expected) {
        assertThat((double) number).isCloseTo(expected, within(2e-4 * Math.max(1, Math.abs(expected))));
    }

    private static List<Map<String, Object>> list(CommandRun run) {
        assertThat(run.status()).as(run.err()).isZero();
        return ((List<?>) CommandRun.json(run.out())).stream().map(CommandRun::asObject).toList();
    }

    // ---- score

    @Test
    void aTextHasTheReferencesScores() {
        Map<String, Object> score = CommandRun.of("score", STORY, "--json").object();
        assertThat(score).containsOnlyKeys("ids", "logprobs", "sum_logprob", "perplexity");
        assertThat(score.get("ids")).isEqualTo(STORY_IDS);
        List<?> logprobs = (List<?>) score.get("logprobs");
        assertThat(logprobs).hasSize(STORY_IDS.size());
        assertThat(logprobs.getFirst()).isNull();
        for (int i = 0; i < STORY_LOGPROBS.length; i++) {
            isClose(logprobs.get(i + 1), STORY_LOGPROBS[i]);
        }
        isClose(score.get("sum_logprob"), Arrays.stream(STORY_LOGPROBS).sum());
        isClose(score.get("perplexity"), STORY_PERPLEXITY);
    }

    @Test
    void aTextOfOneTokenHasNoPerplexity() {
        assertThat(CommandRun.of("score", "--ids", "5", "--json", "--quiet").line())
                .isEqualTo("{\"ids\":[5],\"logprobs\":[null],\"sum_logprob\":0.0,\"perplexity\":null}");
        CommandRun begun = CommandRun.of("score", "--ids", "5", "--json", "--bos");
        assertThat(begun.object().get("ids")).isEqualTo(List.of(0, 5));
        assertThat((List<?>) begun.object().get("logprobs")).last().isInstanceOf(Double.class);
    }

    @Test
    void continuationsAreCompared() {
        List<Map<String, Object>> compared = list(CommandRun.of("score", "--prompt", "Once upon a time there was a",
                " little girl", " cat", " zebra", "--json"));
        double[][] expected = {{-0.91015, -0.42236}, {-5.33628}, {-7.8148, -1.69311, -0.10731, -0.24054}};
        List<List<Integer>> ids = List.of(List.of(414, 547), List.of(727), List.of(221, 1710, 66, 407));
        assertThat(compared).extracting(score -> score.get("text")).containsExactly(" little girl", " cat", " zebra");
        for (int i = 0; i < expected.length; i++) {
            Map<String, Object> score = compared.get(i);
            assertThat(score).containsOnlyKeys("text", "ids", "logprobs", "sum_logprob", "ratio_to_first");
            assertThat(score.get("ids")).isEqualTo(ids.get(i));
            List<?> logprobs = (List<?>) score.get("logprobs");
            assertThat(logprobs).hasSize(expected[i].length);
            for (int j = 0; j < expected[i].length; j++) {
                isClose(logprobs.get(j), expected[i][j]);
            }
            double sum = Arrays.stream(expected[i]).sum();
            isClose(score.get("sum_logprob"), sum);
            assertThat((double) score.get("ratio_to_first") / Math.exp(sum + 0.91015 + 0.42236)).isCloseTo(1,
                    within(1e-3));
        }
        // White space at the prompt's end is the continuation's.
        List<Map<String, Object>> moved = list(CommandRun.of("score", "--prompt", "Once upon a time there was a ",
                "little girl", "--json"));
        assertThat(moved.getFirst().get("logprobs")).isEqualTo(compared.getFirst().get("logprobs"));
        List<Map<String, Object>> ofIds = list(CommandRun.of("score", "--prompt-ids", "567,510,259,445,418,293,259",
                "--ids", "414,547", "--ids", "727", "--json"));
        assertThat(ofIds.get(1)).isEqualTo(compared.get(1));
    }

    @Test
    void linesAreAnsweredInOrder() {
        String lines = """
                {"text":"Once upon a time"}
                {"prompt":"Once upon a","continuations":[" time"," tree"]}
                {"ids":[567,510,259,445]}
                {"prompt_ids":[567,510,259],"ids":[445]}
                """;
        CommandRun run = CommandRun.withInput(lines, "score", "--jsonl");
        assertThat(run.status()).as(run.err()).isZero();
        List<Object> results = run.out().lines().map(CommandRun::json).toList();
        assertThat(results).hasSize(4);
        assertThat(results.get(2)).isEqualTo(results.get(0));
        assertThat(((List<?>) results.get(1)).getFirst()).isEqualTo(((List<?>) results.get(3)).getFirst());
        for (String bad : List.of("{}", "{\"text\":\"a\",\"ids\":[1]}", "{\"prompt\":\"a\"}",
                "{\"continuations\":[\"a\"]}", "{\"prompt_ids\":[1]}", "{\"prompt\":\"a\",\"continuations\":\"b\"}",
                "{\"text\":\"a\",\"prompt_ids\":[1]}", "{\"text\":\"\"}", "{\"ids\":[]}", "{\"ids\":[4096]}",
                "{\"prompt\":\"a\",\"continuations\":[\"b\",\"\"]}",
                "{\"prompt\":\"a\",\"continuations\":[\"b\"],\"ids\":[1]}",
                "{\"prompt_ids\":[],\"ids\":[1]}")) {
            CommandRun refused = CommandRun.withInput("{\"ids\":[5,6]}\n" + bad, "score", "--jsonl", "--quiet");
            assertThat(refused.status()).as(bad).isEqualTo(1);
            assertThat(refused.err()).as(bad).hasLineCount(1).contains("line 2");
            assertThat(refused.out()).as(bad).hasLineCount(1);
        }
    }

    @Test
    void textsComeFromFilesAndStandardInput() throws IOException {
        Path file = Files.writeString(folder.resolve("story.txt"), STORY);
        String expected = CommandRun.of("score", STORY, "--json", "--quiet").out();
        assertThat(CommandRun.of("score", "@" + file, "--json", "--quiet").out()).isEqualTo(expected);
        assertThat(CommandRun.withInput(STORY, "score", "-", "--json", "--quiet").out()).isEqualTo(expected);
        Path prompt = Files.writeString(folder.resolve("prompt.txt"), "Once upon");
        assertThat(CommandRun.withInput(" a", "score", "--prompt", "@" + prompt, "-", "--quiet").out())
                .isEqualTo(CommandRun.of("score", "--prompt", "Once upon", " a", "--quiet").out());
    }

    @Test
    void whatCannotBeScoredIsRefused() throws IOException {
        CommandRun none = CommandRun.of("score", "");
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).hasLineCount(1).contains("no tokens");
        for (String[] usage : new String[][]{{"score"}, {"score", "a", "b"}, {"score", "--prompt", "a"}}) {
            assertThat(CommandRun.of(usage).status()).isEqualTo(2);
        }
        CommandRun tooLong = CommandRun.of("score", "--prompt-ids", "5" + ",5".repeat(511), "--ids", "5,6");
        assertThat(tooLong.status()).isEqualTo(1);
        assertThat(tooLong.err()).hasLineCount(1).contains("512");
        String bert = TinyBert.write(folder.resolve("bert"), "BertForMaskedLM").toString();
        Path classifier = CommandRun.copyOfModel(folder.resolve("classifier"), "vocab.json", "merges.txt",
                "model.safetensors");
        Files.writeString(classifier.resolve("config.json"),
                Files.readString(CommandRun.embeddedModel().resolve("config.json"))
                        .replace("GPT2LMHeadModel", "GPT2ForSequenceClassification"));
        for (String command : List.of("score", "next", "predict")) {
            CommandRun run = CommandRun.of(command, "bob", "--model", bert);
            assertThat(run.status()).as(command).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("BERT").contains(command + " needs a GPT");
            assertThat(CommandRun.of(command, "bob", "--model", classifier.toString()).status()).isEqualTo(1);
        }
    }

    @Test
    void aModelWithoutTokenizerWorksWithIds() {
        String model = CommandRun.copyOfModel(folder.resolve("m"), "config.json", "model.safetensors").toString();
        CommandRun score = CommandRun.of("score", "--ids", "567,510", "--quiet", "--model", model);
        assertThat(score.out()).contains("token 567").contains("-0.0606").contains("perplexity");
        assertThat(list(CommandRun.of("next", "--ids", "567,510", "--top-k", "1", "--json", "--model", model)))
                .first().satisfies(token -> assertThat(token).containsEntry("id", 259).containsEntry("token", null));
        assertThat(list(CommandRun.of("predict", "--ids", "567", "--json", "--model", model)))
                .first().satisfies(token -> assertThat(token).containsEntry("id", 510).containsEntry("token", null)
                        .containsEntry("prefix", null));
        assertThat(list(CommandRun.of("score", "--prompt-ids", "567", "--ids", "510", "--json", "--model", model)))
                .first().satisfies(one -> assertThat(one).containsEntry("text", null));
        for (String[] line : new String[][]{{"score", "Once"}, {"next", "Once"}, {"predict", "Once"},
            {"score", "--prompt", "Once", "upon"}}) {
            List<String> words = new ArrayList<>(List.of(line));
            words.addAll(List.of("--model", model));
            CommandRun run = CommandRun.of(words.toArray(String[]::new));
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("tokenizer");
        }
        assertThat(CommandRun.of("next", "", "--model", model, "--json").status()).isZero();
    }

    // ---- next and predict

    @Test
    void theNextTokensAreTheReferences() {
        List<Map<String, Object>> next = list(CommandRun.of("next", "Once upon a time", "--top-k", "4", "--json"));
        assertThat(next).extracting(token -> token.get("id")).containsExactly(12, 418, 304, 259);
        assertThat(next).extracting(token -> token.get("token")).containsExactly(",", " there", " in", " a");
        double[] expected = {0.7448, 0.2463, 0.0024, 0.0020};
        for (int i = 0; i < expected.length; i++) {
            assertThat(next.get(i)).containsOnlyKeys("id", "token", "probability");
            assertThat((double) next.get(i).get("probability")).isCloseTo(expected[i], within(1e-4));
        }
        assertThat(list(CommandRun.of("next", "Once", "--json"))).hasSize(10);
        assertThat(list(CommandRun.of("next", "", "--json")))
                .isEqualTo(list(CommandRun.of("next", "--ids", "0", "--json")));
        double sum = list(CommandRun.of("next", "Once", "--top-k", "5000", "--json")).stream()
                .mapToDouble(token -> (double) token.get("probability")).sum();
        assertThat(sum).isCloseTo(1, within(1e-6));
        CommandRun tooLong = CommandRun.of("next", "--ids", "5" + ",5".repeat(512));
        assertThat(tooLong.status()).isEqualTo(1);
        assertThat(tooLong.err()).hasLineCount(1).contains("513").contains("512");
    }

    @Test
    void aPredictionForEveryPrefix() {
        List<Map<String, Object>> predictions = list(CommandRun.of("predict", "Once upon a time", "--json"));
        assertThat(predictions).extracting(row -> row.get("position")).containsExactly(0, 1, 2, 3);
        assertThat(predictions).extracting(row -> row.get("prefix")).containsExactly("Once", "Once upon",
                "Once upon a", "Once upon a time");
        assertThat(predictions).extracting(row -> row.get("token")).containsExactly(" upon", " a", " time", ",");
        assertThat(predictions).extracting(row -> row.get("id")).containsExactly(510, 259, 445, 12);
        isClose(predictions.get(3).get("probability"), 0.7448);
        CommandRun lines = CommandRun.withInput("{\"text\":\"Once\"}\n{\"ids\":[567]}\n", "predict", "--jsonl");
        assertThat(lines.out().lines().distinct()).hasSize(1);
        assertThat(lines.out()).hasLineCount(2);
    }

    // ---- tables

    private static String shown(Screen screen, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), new StandardOutput(out),
                new PrintStream(err, true, StandardCharsets.UTF_8), false, screen);
        int status = new Cli(new Context(streams, new Interruption(), HeadStart.none())).run(arguments);
        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void tablesHaveBarsOnATerminal() {
        String next = shown(new Screen(true, true, () -> 70), "next", "Once upon a time", "--top-k", "2");
        assertThat(next.lines()).containsExactly(
                " 74.4831 %  " + "\u2588".repeat(30) + "      12  \",\"",
                " 24.6327 %  " + "\u2588".repeat(9) + "\u2589" + " ".repeat(20) + "     418  \" there\"");
        String ascii = shown(new Screen(true, false, () -> 70), "next", "Once upon a time", "--top-k", "2");
        assertThat(ascii.lines()).containsExactly(" 74.4831 %  " + "#".repeat(30) + "      12  \",\"",
                " 24.6327 %  " + "#".repeat(10) + " ".repeat(20) + "     418  \" there\"");
        assertThat(shown(Screen.NONE, "next", "Once upon a time", "--top-k", "2").lines())
                .containsExactly(" 74.4831 %      12  \",\"", " 24.6327 %     418  \" there\"");
    }

    @Test
    void linesAreNoLongerThanTheTerminalIsWide() {
        String text = "Once\nupon 猫猫猫猫猫猫猫 \u001b[31m a \u202e time \\ 🐈\u200b there was a very very very old king";
        for (String[] line : new String[][]{{"predict", text}, {"score", text}, {"next", text, "--top-k", "300"},
            {"score", "--prompt", "Once", " " + text, " a"}}) {
            for (int columns : new int[]{40, 48, 60, 80}) {
                String table = shown(new Screen(true, true, () -> columns), line);
                assertThat(table.lines().filter(row -> !row.startsWith("sum ")))
                        .allSatisfy(row -> assertThat(Shown.width(row)).isLessThanOrEqualTo(columns));
                assertThat(table).doesNotContain("\u001b").doesNotContain("\u202e").doesNotContain("\u200b");
            }
            assertThat(shown(Screen.NONE, line)).doesNotContain("\u001b").doesNotContain("\u202e");
        }
    }

    @Test
    void partsOfCharactersAndControlsAreSpelt() {
        assertThat(Shown.text("a\n\t\\\u001b\u200b\r猫")).isEqualTo("a\\n\\t\\\\\\u{1B}\\u{200B}\\r猫");
        String score = CommandRun.of("score", "é–\n", "--quiet").out();
        assertThat(score).contains("\"\\xE2\"").contains("\"\\x80\"").contains("\"\\n\"");
        assertThat(Shown.beginning("猫猫猫猫", 7)).isEqualTo("猫猫...");
        assertThat(Shown.end("猫猫猫猫", 7)).isEqualTo("...猫猫");
        assertThat(Shown.end("abc", 3)).isEqualTo("abc");
        assertThat(Shown.padded("猫", 4)).isEqualTo("猫  ");
    }

    @Test
    void theScoresTable() {
        List<String> lines = CommandRun.of("score", STORY, "--quiet").out().lines().toList();
        assertThat(lines).hasSize(STORY_IDS.size() + 1);
        assertThat(lines.get(0)).isEqualTo("         -     567  \"Once\"");
        assertThat(lines.get(1)).isEqualTo("   -0.0606     510  \" upon\"");
        assertThat(lines.getLast())
                .matches("sum -46\\.\\d+, mean -2\\.719\\d, perplexity 15\\.1\\d+ \\(17 of 18 tokens scored\\)");
        assertThat(CommandRun.of("score", "--prompt", "Once upon a", " time", " tree", "--quiet").out().lines())
                .hasSize(2).first().asString().contains("  1.000  ").endsWith("\" time\"");
    }

    // ---- evaluate

    private Path corpus() throws IOException {
        return Files.writeString(folder.resolve("corpus.txt"),
                (STORY + " She liked to play with her cat and her dog in the big garden.\n").repeat(15));
    }

    @Test
    void aCorpusHasTheReferencesPerplexity() throws IOException {
        String file = corpus().toString();
        for (String[] row : new String[][]{{"64", "10.919190625963132", "509"}, {"128", "11.613056424154781", "506"},
            {"25", "10.648093179283942", "509"}}) {
            Map<String, Object> result = CommandRun.of("evaluate", file, "--window", "128", "--stride", row[0],
                    "--json").object();
            assertThat(result).containsOnlyKeys("task", "tokens", "scored_tokens", "words", "bytes", "mean_nll",
                    "perplexity", "word_perplexity", "bits_per_byte", "window", "stride");
            assertThat(result).containsEntry("task", "perplexity").containsEntry("tokens", 510)
                    .containsEntry("scored_tokens", Integer.valueOf(row[2])).containsEntry("words", 15 * 27)
                    .containsEntry("bytes", (int) Files.size(Path.of(file))).containsEntry("window", 128)
                    .containsEntry("stride", Integer.valueOf(row[0]));
            double perplexity = Double.parseDouble(row[1]);
            isClose(result.get("perplexity"), perplexity);
            isClose(result.get("mean_nll"), Math.log(perplexity));
            isClose(result.get("word_perplexity"), Math.exp(Math.log(perplexity) * 510 / (15 * 27)));
            isClose(result.get("bits_per_byte"), Math.log(perplexity) * 510 / Math.log(2) / Files.size(Path.of(file)));
        }
        CommandRun table = CommandRun.of("evaluate", file, "--window", "128");
        assertThat(table.out()).contains("perplexity            10.91").contains("stride 64")
                .contains("bits per byte");
        assertThat(table.err()).hasLineCount(1).contains("gpt2 evaluate: ").contains(" s; load");
        assertThat(CommandRun.of("evaluate", file, "--bos", "--json").object()).containsEntry("scored_tokens", 510);
    }

    @Test
    void lastWordsAreGuessedAsByTheReference() throws IOException {
        List<String> passages = List.of("Once upon a time there was a little girl named Lily", "Once upon a time",
                "One day, a girl went to the park", "She was so happy that she began to defenestrate");
        Path plain = Files.write(folder.resolve("plain.txt"), passages);
        Path noLineBreak = Files.writeString(folder.resolve("end.txt"), "\n" + String.join("\r\n\r\n", passages));
        Path objects = Files.write(folder.resolve("objects.jsonl"), passages.stream()
                .map(text -> "{\"id\":7,\"more\":{\"text\":\"x\"},\"text\":\"" + text + "\"}").toList());
        for (Path file : List.of(plain, noLineBreak, objects)) {
            Map<String, Object> result = CommandRun.of("evaluate", file.toString(), "--task", "last-word", "--json")
                    .object();
            assertThat(result).containsOnlyKeys("task", "passages", "correct", "accuracy", "perplexity");
            assertThat(result).containsEntry("task", "last-word").containsEntry("passages", 4)
                    .containsEntry("correct", 3).containsEntry("accuracy", 0.75);
            isClose(result.get("perplexity"), 55052.38002536257);
        }
        assertThat(CommandRun.of("evaluate", plain.toString(), "--task", "last-word").out())
                .contains("0.7500 (3 of 4)");
    }

    @Test
    void whatCannotBeEvaluatedIsRefused() throws IOException {
        refused("", "perplexity", "no text");
        refused("", "last-word", "no passages");
        refused("\n \n", "last-word", "no passages");
        refused("two words\n\nword\n", "last-word", "passage 2");
        refused("{\"text\":\"two words\"}\nmore words\n", "last-word", "line 2");
        refused("{\"text\":\"two words\"}\n{\"text\":1}\n", "last-word", "line 2");
        refused("{\"text\":\"two words\"} x\n", "last-word", "line 1");
        refused("{\"text\":\n", "last-word", "line 1");
        Path bytes = Files.write(folder.resolve("bytes.txt"), new byte[]{'a', ' ', 'b', ' ', (byte) 0xFC, '\n'});
        for (String task : List.of("perplexity", "last-word")) {
            for (Path file : List.of(bytes, folder.resolve("nowhere"), folder)) {
                CommandRun run = CommandRun.of("evaluate", file.toString(), "--task", task);
                assertThat(run.status()).as(file.toString()).isEqualTo(1);
                assertThat(run.err()).hasLineCount(1);
                assertThat(run.out()).isEmpty();
            }
            assertThat(CommandRun.of("evaluate", bytes.toString(), "--task", task).err()).contains("bytes.txt")
                    .contains("UTF-8");
        }
        String bert = TinyBert.write(folder.resolve("bert"), "BertForMaskedLM").toString();
        CommandRun run = CommandRun.of("evaluate", bytes.toString(), "--model", bert);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("evaluate needs a GPT");
        assertThat(CommandRun.of("evaluate").status()).isEqualTo(2);
        assertThat(CommandRun.of("evaluate", "a", "b").status()).isEqualTo(2);
    }

    private void refused(String content, String task, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("bad.txt"), content);
        CommandRun run = CommandRun.of("evaluate", file.toString(), "--task", task);
        assertThat(run.status()).as(content).isEqualTo(1);
        assertThat(run.err()).as(content).hasLineCount(1).contains("bad.txt").contains(message);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void aMeasurementThatWasInterruptedHasNoResult() throws IOException {
        Path words = Files.write(folder.resolve("words.txt"), List.of("Once upon a time ".repeat(50) + "there",
                "Once upon a time ".repeat(50) + "was", "One day"));
        for (String[] line : new String[][]{{"evaluate", corpus().toString()}, {"score", "@" + corpus()},
            {"evaluate", words.toString(), "--task", "last-word"}}) {
            Interruption interruption = new Interruption();
            interruption.endCleanly();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            assertThat(CommandRun.run(new byte[0], out, err, interruption, line)).isEqualTo(130);
            assertThat(out.size() + err.size()).isZero();
        }
    }

    @Test
    void aProgressBarIsForTerminals() throws IOException {
        Path large = Files.writeString(folder.resolve("long.txt"), (STORY + "\n").repeat(60));
        for (boolean terminal : new boolean[]{false, true}) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), new StandardOutput(out),
                    new PrintStream(err, true, StandardCharsets.UTF_8), terminal);
            int status = new Cli(new Context(streams, new Interruption(), HeadStart.none())).run("evaluate",
                    large.toString(), "--json", "--threads", "1", "--backend", "scalar");
            assertThat(status).isZero();
            assertThat(out.toString(StandardCharsets.UTF_8)).hasLineCount(1).doesNotContain("\r");
            assertThat(err.toString(StandardCharsets.UTF_8).contains("\revaluate [")).isEqualTo(terminal);
        }
    }
}
