package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

    /** Where OpenAI GPT's tokens end words, the space shows with the next token. */
    @Test
    void echoOfAModelWhoseTokensEndWords() {
        String[] line = {"generate", "how are you", "--model", "../engine/src/test/resources/dialog/tiny-openai-gpt",
            "--greedy", "--max-new-tokens", "3", "--quiet"};
        String text = CommandRun.of(line).out();
        assertThat(text).isNotBlank().doesNotStartWith(" ");
        assertThat(CommandRun.of(append(line, "--echo")).out()).isEqualTo("how are you " + text);
        line[1] = "How are you ";
        assertThat(CommandRun.of(append(line, "--echo")).out()).isEqualTo("How are you " + text);
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
    void severalTextsHaveALineBeforeEach() {
        String[] line = {"generate", "Once upon a time", "--num-return-sequences", "2", "--max-new-tokens", "6",
            "--seed", "5", "--quiet"};
        List<String> texts = sequences(CommandRun.of(append(line, "--json"))).stream()
                .map(sequence -> (String) sequence.get("text")).toList();
        assertThat(texts).hasSize(2).doesNotHaveDuplicates();
        assertThat(CommandRun.of(line).out()).isEqualTo("== 1 of 2 (length)\n" + texts.get(0)
                + "\n== 2 of 2 (length)\n" + texts.get(1) + "\n");
        assertThat(CommandRun.of(append(line, "--echo")).out()).isEqualTo("== 1 of 2 (length)\nOnce upon a time"
                + texts.get(0) + "\n== 2 of 2 (length)\nOnce upon a time" + texts.get(1) + "\n");
        CommandRun one = CommandRun.of("generate", "Once upon a time", "--max-new-tokens", "6", "--seed", "5",
                "--quiet");
        assertThat(one.out()).as("the first of several is the one alone").isEqualTo(texts.get(0) + "\n");
    }

    @Test
    void beamsAreThoseOfTheReference() throws IOException {
        Path model = Path.of(System.getProperty("vecformer.shared", "../../shared")).resolve("oracle/models/gpt2-mini");
        assumeTrue(Files.exists(model), "skipped: the reference files (../shared) are not here");
        Map<String, String> options = Map.of("max_new_tokens", "--max-new-tokens", "num_beams", "--num-beams",
                "length_penalty", "--length-penalty", "early_stopping", "--early-stopping", "num_return_sequences",
                "--num-return-sequences", "no_repeat_ngram_size", "--no-repeat-ngram-size", "repetition_penalty",
                "--repetition-penalty", "min_new_tokens", "--min-new-tokens");
        int checked = 0;
        for (String row : Files.readAllLines(model.resolve("generation.jsonl"))) {
            Map<String, Object> expected = CommandRun.asObject(CommandRun.json(row));
            Map<String, Object> arguments = CommandRun.asObject(expected.get("args"));
            boolean batch = expected.containsKey("attention_mask")
                    || ((List<?>) expected.get("prompt_ids")).get(0) instanceof List<?>;
            if (batch || !arguments.containsKey("num_beams") || !options.keySet().containsAll(arguments.keySet())
                    || checked == 12) {
                continue;
            }
            checked++;
            String prompt = ids(expected.get("prompt_ids"));
            List<String> line = new ArrayList<>(List.of("generate", "--model", model.toString(), "--json", "--ids",
                    prompt));
            arguments.forEach((name, value) -> line.addAll(List.of(options.get(name), value.toString())));
            List<Map<String, Object>> found = sequences(CommandRun.of(line.toArray(String[]::new)));
            Object outputs = expected.get("output_ids");
            List<?> whole = ((List<?>) outputs).get(0) instanceof List<?> ? (List<?>) outputs : List.of(outputs);
            assertThat(found).as(row).hasSameSizeAs(whole);
            List<?> scores = (List<?>) expected.get("sequences_scores");
            for (int i = 0; i < found.size(); i++) {
                // Behind its end a sequence of the reference is filled up.
                assertThat(ids(whole.get(i))).as(row).startsWith(prompt + "," + ids(found.get(i).get("ids")));
                assertThat((double) found.get(i).get("score")).as(row)
                        .isCloseTo(((Number) scores.get(i)).doubleValue(), within(2e-4));
            }
        }
        assertThat(checked).isGreaterThan(5);
    }

    private static String ids(Object list) {
        return ((List<?>) list).stream().map(Object::toString).collect(Collectors.joining(","));
    }

    @Test
    void logprobsAreInTheJsonResult() {
        CommandRun run = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "2", "--json",
                "--logprobs", "3");
        List<?> logprobs = (List<?>) sequence(run.object()).get("logprobs");
        assertThat(logprobs).hasSize(2);
        Map<String, Object> first = CommandRun.asObject(logprobs.get(0));
        assertThat(first).containsOnlyKeys("id", "logprob", "top").containsEntry("id", 12);
        List<Map<String, Object>> top = ((List<?>) first.get("top")).stream().map(CommandRun::asObject).toList();
        assertThat(top).hasSize(3);
        assertThat(top.get(0)).containsEntry("id", 12).containsEntry("token", ",")
                .containsEntry("logprob", first.get("logprob"));
        assertThat(top).extracting(token -> (Double) token.get("logprob")).isSortedAccordingTo((a, b) -> b.compareTo(a))
                .allMatch(logprob -> logprob < 0);
        CommandRun table = CommandRun.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "2", "--quiet",
                "--logprobs", "3");
        assertThat(table.out()).startsWith(", there\n\n logprob  token").contains("\" there\"").hasLineCount(5);
    }

    @Test
    void stopTextsAreHeldBackOrWritten() {
        String[] line = {"generate", "Once upon a time", "--greedy", "--max-new-tokens", "30", "--quiet"};
        String whole = CommandRun.of(line).out();
        for (String text : List.of("little", "ttl", "a little g", "was a")) {
            CommandRun run = CommandRun.of(append(line, "--stop", "nothing like it", "--stop", text));
            assertThat(run.out()).as(text).isEqualTo(whole.substring(0, whole.indexOf(text)) + "\n");
        }
        assertThat(CommandRun.of(append(line, "--stop", "ttl", "--include-stop")).out())
                .isEqualTo(whole.substring(0, whole.indexOf("ttl") + 3) + "\n");
        assertThat(sequence(CommandRun.of(append(line, "--stop", "ttl", "--json")).object()))
                .containsEntry("finish_reason", "stop").containsEntry("text", whole.substring(0, whole.indexOf("ttl")));
    }

    @Test
    void constraintsShapeTheText() {
        for (String[] constraint : new String[][]{{"--regex", " \\d\\d:[ab]+!", " \\d\\d:[ab]+!"},
            {"--choices", " red, green\\, or so", " red| green, or so"},
            {"--json-schema", "{\"type\":\"integer\",\"minimum\":10,\"maximum\":99}", "\\d\\d"}}) {
            CommandRun run = CommandRun.of("generate", "The answer is", constraint[0], constraint[1], "--seed", "3",
                    "--quiet");
            assertThat(run.out().stripTrailing()).as(constraint[0]).matches(constraint[2]);
        }
        CommandRun bad = CommandRun.of("generate", "x", "--regex", "ab(c");
        assertThat(bad.status()).isEqualTo(2);
        assertThat(bad.err()).hasLineCount(1).contains("--regex").contains("character 3");
    }

    @Test
    void draftsDoNotChangeTheText() {
        String[] line = {"generate", "Once upon a time", "--greedy", "--max-new-tokens", "40", "--quiet"};
        String plain = CommandRun.of(line).out();
        assertThat(CommandRun.of(append(line, "--prompt-lookup", "3")).out()).isEqualTo(plain);
        String draft = CommandRun.embeddedModel().toString();
        assertThat(CommandRun.of(append(line, "--draft-model", draft)).out()).isEqualTo(plain);
        Path mini = Path.of(System.getProperty("vecformer.shared", "../../shared")).resolve("oracle/models/gpt2-mini");
        assumeTrue(Files.exists(mini), "skipped: the reference files (../shared) are not here");
        CommandRun other = CommandRun.of(append(line, "--draft-model", mini.toString()));
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.err()).hasLineCount(1).contains("1000 tokens").contains("4096").contains("vocabulary");
    }

    @Test
    void aNegativePromptThatDoesNotFitIsRefused() {
        CommandRun run = CommandRun.of("generate", "Once", "--guidance-scale", "2", "--negative-prompt",
                "once upon a time ".repeat(200));
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines().toList()).last().asString().contains("negative prompt has 802");
    }

    @Test
    void probabilitiesAreInBracketsOrColours() {
        String[] line = {"generate", "Once upon a time", "--greedy", "--max-new-tokens", "3", "--show-probabilities"};
        CommandRun plain = CommandRun.of(line);
        assertThat(plain.out()).matches(",\\[0\\.\\d\\d\\] there\\[0\\.\\d\\d\\] was\\[0\\.\\d\\d\\]\n");
        assertThat(plain.err()).contains("in brackets");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), new StandardOutput(out),
                new PrintStream(OutputStream.nullOutputStream()), false, new Screen(true, true, () -> 80));
        assertThat(new Cli(new Context(streams, new Interruption(), HeadStart.none())).run(line)).isZero();
        boolean forbidden = !System.getenv().getOrDefault("NO_COLOR", "").isEmpty();
        assertThat(out.toString(StandardCharsets.UTF_8).contains("\u001b[48;5;")).isEqualTo(!forbidden);
        assertThat(out.toString(StandardCharsets.UTF_8).replaceAll("\u001b\\[[\\d;]*m", ""))
                .isEqualTo(forbidden ? plain.out() : ", there was\n");
    }

    @Test
    void thePageHoldsPromptTokensAndAlternatives() throws IOException {
        Path page = folder.resolve("page.html");
        Files.writeString(page, "old");
        String prompt = "<script>alert('Once')</script> & \"upon\"";
        CommandRun run = CommandRun.of("generate", prompt, "--seed", "1", "--max-new-tokens", "5", "--html",
                page.toString(), "--num-return-sequences", "2");
        assertThat(run.status()).as(run.err()).isZero();
        String html = Files.readString(page);
        assertThat(html).startsWith("<!DOCTYPE html>").endsWith("</html>\n")
                .contains("&lt;script&gt;alert(&#39;Once&#39;)&lt;/script&gt; &amp; &quot;upon&quot;")
                .contains("Continuation 1 of 2").contains("Continuation 2 of 2")
                .doesNotContain("<script").doesNotContain("http:").doesNotContain("src=").doesNotContain("url(");
        assertThat(html.split("tabindex", -1)).hasSize(11);
        // Ten alternatives for each token, and perhaps the token that was drawn.
        assertThat(html.split("class=\"r", -1).length).isBetween(101, 111);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(page);
        }
    }

    @Test
    void aPageThatCannotBeWrittenIsRefusedAtOnce() {
        Path page = folder.resolve("nowhere/page.html");
        CommandRun run = CommandRun.of("generate", "Once", "--html", page.toString(), "--model", "nobody/has-this");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).as("and not the model").hasLineCount(1).contains(page.toString())
                .contains("there is no directory");
    }

    @Test
    void everyLineStartsFromTheSameSeed() {
        CommandRun run = CommandRun.withInput("{\"text\":\"Once\"}\n{\"text\":\"Tom\"}\n{\"text\":\"Once\"}\n",
                "generate", "--jsonl", "--seed", "4", "--max-new-tokens", "9", "--min-p", "0.01",
                "--num-return-sequences",
                "2", "--logprobs", "1");
        List<Object> results = run.objects().stream().map(o -> o.get("sequences")).toList();
        assertThat(results).hasSize(3);
        assertThat(results.get(0)).isEqualTo(results.get(2)).isNotEqualTo(results.get(1));
    }

    private static List<Map<String, Object>> sequences(CommandRun run) {
        assertThat(run.status()).as(run.err()).isZero();
        return ((List<?>) run.object().get("sequences")).stream().map(CommandRun::asObject).toList();
    }

    private static String[] append(String[] line, String... more) {
        return Stream.concat(Stream.of(line), Stream.of(more)).toArray(String[]::new);
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
