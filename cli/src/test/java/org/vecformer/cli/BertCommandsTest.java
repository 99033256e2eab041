package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** The commands that need a BERT, on models made here; what their numbers should be is told in BertOracleTest. */
class BertCommandsTest {
    @TempDir
    static Path folder;

    private static String filler;
    private static String classifier;
    private static String tagger;
    private static String answerer;
    private static String nameless;

    @BeforeAll
    static void models() throws IOException {
        filler = TinyBert.write(folder.resolve("filler"), "BertForMaskedLM").toString();
        classifier = TinyBert.write(folder.resolve("classifier"), "BertForSequenceClassification", "bad", "good")
                .toString();
        tagger = TinyBert.write(folder.resolve("tagger"), "BertForTokenClassification", "O", "B-PER", "I-PER")
                .toString();
        answerer = TinyBert.write(folder.resolve("answerer"), "BertForQuestionAnswering").toString();
        Path ids = TinyBert.write(folder.resolve("nameless"), "BertForMaskedLM");
        Files.delete(ids.resolve("vocab.txt"));
        nameless = ids.toString();
    }

    private static Map<String, Object> first(Object list) {
        return CommandRun.asObject(((List<?>) list).getFirst());
    }

    private static List<?> list(CommandRun run) {
        assertThat(run.status()).as(run.err()).isZero();
        return (List<?>) CommandRun.json(run.out());
    }

    @Test
    void fillMaskTellsCandidatesOfEachMask() {
        List<?> masks = list(CommandRun.of("fill-mask", "bob is [MASK]", "--pair", "he has [MASK] kids", "--top-k", "3",
                "--json", "--model", filler));
        assertThat(masks).extracting(mask -> CommandRun.asObject(mask).get("position")).containsExactly(3, 7);
        List<?> candidates = (List<?>) first(masks).get("candidates");
        assertThat(candidates).hasSize(3).extracting(c -> (double) CommandRun.asObject(c).get("probability"))
                .isSortedAccordingTo((a, b) -> Double.compare(b, a));
        assertThat(first(candidates)).containsOnlyKeys("id", "token", "probability", "text");
        assertThat(TinyBert.VOCABULARY).element((int) first(candidates).get("id"))
                .isEqualTo(first(candidates).get("token"));
        // The same masks, put there by hand, and as ids.
        assertThat(list(CommandRun.of("fill-mask", "bob is he", "--pair", "he has two kids", "--mask-at", "3,7",
                "--top-k", "3", "--json", "--model", filler))).isEqualTo(masks);
        assertThat(list(CommandRun.of("fill-mask", "--ids", "2,15,16,4,3,19,20,4,22,3", "--type-ids",
                "0,0,0,0,0,1,1,1,1,1", "--top-k", "3", "--json", "--model", filler))).isEqualTo(masks);
        CommandRun human = CommandRun.of("fill-mask", "bob is [MASK]", "--targets", "he,abba", "--model", filler);
        assertThat(human.out()).startsWith("position 3\n  0.").contains("  he ").hasLineCount(3);
        assertThat(human.err()).contains("'abba' is not one token; its first, 'a', stands for it");
    }

    @Test
    void withoutTokenizerFilesIdsAreEnough() {
        Map<String, Object> mask = first(list(CommandRun.of("fill-mask", "--ids", "2,15,4,3", "--mask-at", "2",
                "--json", "--model", nameless)));
        Map<String, Object> named = first(list(CommandRun.of("fill-mask", "--ids", "2,15,4,3", "--json", "--model",
                filler)));
        assertThat(first(mask.get("candidates")).get("probability"))
                .isEqualTo(first(named.get("candidates")).get("probability"));
        assertThat(first(mask.get("candidates"))).containsEntry("token", null).containsEntry("text", null);
        assertThat(CommandRun.of("embed", "--ids", "2,15,3", "--json", "--model", nameless).out())
                .isEqualTo(CommandRun.of("embed", "bob", "--json", "--model", filler).out());
        for (String[] line : new String[][]{{"fill-mask", "bob"}, {"fill-mask", "--ids", "2,4,3"}, {"embed", "bob"},
            {"mask-generate", "bob"}, {"mask-generate", "--ids", "2,15,3"}, {"tokenize", "bob"}}) {
            List<String> all = new ArrayList<>(List.of(line));
            all.addAll(List.of("--model", nameless));
            CommandRun run = CommandRun.of(all.toArray(String[]::new));
            assertThat(run.status()).as(String.join(" ", line)).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("nameless").contains("no tokenizer files");
        }
    }

    @Test
    void maskGenerateWritesAsGenerateDoes() {
        String[] line = {"mask-generate", "bob is a good man.", "--pair", "he has", "--max-new-tokens", "6",
            "--stop-tokens", "two", "--model", filler, "--json"};
        CommandRun run = CommandRun.of(line);
        assertThat(run.status()).as(run.err()).isZero();
        Map<String, Object> result = run.object();
        assertThat(result).containsOnlyKeys("prompt_ids", "sequences", "timing");
        assertThat(result.get("prompt_ids")).isEqualTo(List.of(2, 15, 16, 5, 17, 18, 28, 3, 19, 20, 3));
        assertThat(CommandRun.asObject(result.get("timing"))).containsOnlyKeys("load_seconds", "prompt_seconds",
                "generation_seconds", "tokens_per_second");
        Map<String, Object> sequence = first(result.get("sequences"));
        assertThat(sequence).containsOnlyKeys("text", "ids", "finish_reason");
        assertThat((List<?>) sequence.get("ids")).isNotEmpty().hasSizeLessThanOrEqualTo(6);
        // As it is shown while it comes.
        line[line.length - 1] = "--quiet";
        assertThat(CommandRun.of(line).out()).isEqualTo(sequence.get("text") + "\n");
        CommandRun gibbs = CommandRun.of("mask-generate", "bob is", "--strategy", "gibbs", "--seed", "5",
                "--iterations", "30", "--max-new-tokens", "4", "--json", "--model", filler);
        List<?> whole = (List<?>) first(gibbs.object().get("sequences")).get("ids");
        assertThat(whole).hasSize(6);
        assertThat(whole.subList(0, 2)).isEqualTo(List.of(15, 16));
        assertThat(gibbs.err()).doesNotContain("--seed");
        assertThat(CommandRun.of("mask-generate", "bob is", "--strategy", "gibbs", "--iterations", "3", "--model",
                filler).err()).contains("--seed ");
    }

    @Test
    void embedTellsAVectorATextInTheirOrder() {
        CommandRun run = CommandRun.of("embed", "bob", "he has two kids", "--json", "--normalize", "--model", filler);
        assertThat(run.object()).containsOnlyKeys("dimensions", "embeddings").containsEntry("dimensions",
                TinyBert.WIDTH);
        List<?> embeddings = (List<?>) run.object().get("embeddings");
        assertThat(embeddings).hasSize(2).allSatisfy(vector -> {
            double squares = ((List<?>) vector).stream().mapToDouble(x -> (double) x * (double) x).sum();
            assertThat(squares).isCloseTo(1, within(1e-6));
        });
        CommandRun other = CommandRun.of("embed", "he has two kids", "bob", "--json", "--normalize", "--model", filler);
        assertThat(((List<?>) other.object().get("embeddings")).reversed()).isEqualTo(embeddings);
        assertThat(CommandRun.of("embed", "bob", "--json", "--no-normalize", "--model", filler).out())
                .isNotEqualTo(CommandRun.of("embed", "bob", "--json", "--normalize", "--model", filler).out());
        CommandRun human = CommandRun.of("embed", "bob", "bob", "--model", filler);
        assertThat(human.out()).contains("1  3 tokens, 16 numbers: ").contains("cosine of 1 and 2: 1.0000");
        CommandRun cut = CommandRun.of("embed", "bob he has", "--max-length", "4", "--model", filler);
        assertThat(cut.err()).contains("the input is too long; its end was cut off");
        CommandRun split = CommandRun.of("embed", "bob he has", "--max-length", "4", "--long-texts", "split", "--model",
                filler);
        assertThat(split.out()).contains("1  7 tokens in 2 windows, 16 numbers: ");
        assertThat(split.err()).doesNotContain("cut off");
        CommandRun refused = CommandRun.of("embed", "bob", "bob he has", "--max-length", "4", "--long-texts", "refuse",
                "--model", filler);
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("input 1 has 5 tokens, special ones included; expected at most 4");
    }

    @Test
    void classifyTagAnswerAndRerankHaveTheShapesOfTheEcosystem() {
        List<?> labels = list(CommandRun.of("classify", "bob is good", "--json", "--model", classifier));
        assertThat(labels).hasSize(2).extracting(l -> CommandRun.asObject(l).get("label"))
                .containsExactlyInAnyOrder("bad", "good");
        assertThat(labels.stream().mapToDouble(l -> (double) CommandRun.asObject(l).get("score")).sum())
                .isCloseTo(1, within(1e-9));

        List<?> tokens = list(CommandRun.of("tag", "\ud83d\ude00bob", "--ignore-labels", "-", "--json", "--model",
                tagger));
        assertThat(CommandRun.asObject(tokens.getLast())).containsOnlyKeys("entity", "score", "index", "word", "start",
                "end").containsEntry("start", 0).containsEntry("end", 4);
        tokens = list(CommandRun.of("tag", "\ud83d\ude00 bob", "--ignore-labels", "-", "--json", "--model", tagger));
        // Characters are counted as Unicode does.
        assertThat(CommandRun.asObject(tokens.getLast())).containsEntry("start", 2).containsEntry("end", 5);
        List<?> entities = list(CommandRun.of("tag", "bob is he", "--aggregation", "simple", "--ignore-labels", "-",
                "--json", "--model", tagger));
        assertThat(first(entities)).containsOnlyKeys("entity_group", "score", "word", "start", "end");
        assertThat(first(list(CommandRun.of("tag", "--ids", "2,15,3", "--ignore-labels", "-", "--json", "--model",
                tagger)))).containsEntry("start", null).containsEntry("end", null).containsEntry("word", "bob");

        String context = "\ud83d\ude00 is a good man and he has three kids";
        List<?> answers = list(CommandRun.of("answer", context, "--question", "who has kids", "--top-k", "3", "--json",
                "--model", answerer));
        assertThat(answers).hasSize(3).allSatisfy(answer -> {
            Map<String, Object> fields = CommandRun.asObject(answer);
            assertThat(fields).containsOnlyKeys("score", "start", "end", "answer");
            int start = context.offsetByCodePoints(0, (int) fields.get("start"));
            int end = context.offsetByCodePoints(0, (int) fields.get("end"));
            assertThat(context.substring(start, end)).isEqualTo(fields.get("answer"));
        });

        List<?> ranks = list(CommandRun.of("rerank", "who has kids", "the man", "he has three kids", "is a", "--label",
                "good", "--json", "--model", classifier));
        assertThat(ranks).hasSize(3).extracting(r -> (double) CommandRun.asObject(r).get("score"))
                .isSortedAccordingTo((a, b) -> Double.compare(b, a));
        assertThat(ranks).allSatisfy(rank -> {
            Map<String, Object> fields = CommandRun.asObject(rank);
            assertThat(fields).containsOnlyKeys("index", "score", "text").containsEntry("text",
                    List.of("the man", "he has three kids", "is a").get((int) fields.get("index")));
            assertThat(fields.get("score")).isEqualTo(list(CommandRun.of("classify", "who has kids", "--pair",
                    (String) fields.get("text"), "--json", "--model", classifier)).stream()
                    .map(CommandRun::asObject).filter(l -> l.get("label").equals("good")).findAny().orElseThrow()
                    .get("score"));
        });
    }

    @Test
    void linesGiveWhatEachGivesAloneInTheirOrder() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            texts.add("bob is [MASK] " + "and he has ".repeat(i * 7 % 11) + TinyBert.VOCABULARY.get(5 + i % 27));
        }
        StringBuilder lines = new StringBuilder();
        texts.forEach(text -> lines.append("{\"text\":\"").append(text).append("\"}\n"));
        CommandRun all = CommandRun.withInput(lines.toString(), "fill-mask", "--jsonl", "--batch-tokens", "64",
                "--model", filler);
        assertThat(all.status()).as(all.err()).isZero();
        assertThat(all.err()).contains("60 inputs").contains("batches of up to 64 tokens");
        List<String> results = all.out().lines().toList();
        assertThat(results).hasSize(60);
        for (int i = 0; i < 60; i += 7) {
            assertThat(results.get(i)).isEqualTo(CommandRun.of("fill-mask", texts.get(i), "--json", "--threads", "1",
                    "--model", filler).line());
        }
    }

    @Test
    void aBadLineIsNamedAndThoseBeforeItAreAnswered() {
        for (String bad : List.of("{\"text\":\"no mask\"}", "{\"ids\":[2,99,4,3]}", "{\"ids\":[2,4,3],\"pair\":\"x\"}",
                "{\"ids\":[2,4],\"token_type_ids\":[0]}", "{\"text\":\"[MASK]\",\"attention_mask\":[1]}", "[]", "{",
                "{\"text\":\"[MASK]" + " bob".repeat(60) + "\"}", "{\"ids\":[2,4],\"token_type_ids\":[0,2]}",
                "{\"ids\":\"2\"}", "{\"text\":[\"a\"]}", "{\"text\":[]}", "{\"ids\":[]}",
                "{\"ids\":[4],\"attention_mask\":[0]}", "{\"ids\":[2,4],\"attention_mask\":[1,0]}")) {
            CommandRun run = CommandRun.withInput("{\"text\":\"[MASK]\"}\n\n" + bad + "\n{\"text\":\"[MASK]\"}\n",
                    "fill-mask", "--jsonl", "--model", filler);
            assertThat(run.status()).as(bad).isEqualTo(1);
            assertThat(run.err()).as(bad).hasLineCount(1).contains("line 3 of standard input");
            assertThat(run.out()).as(bad).hasLineCount(1);
        }
        CommandRun unseen = CommandRun.withInput("{\"text\":\"bob\"}\n{\"ids\":[2,5],\"attention_mask\":[0,1]}",
                "classify", "--jsonl", "--model", classifier);
        assertThat(unseen.out()).hasLineCount(1);
        assertThat(unseen.err()).hasLineCount(1).startsWith("gpt2 classify: line 2 of standard input: the first token");
        CommandRun question = CommandRun.withInput("{\"question\":\"who\"}", "answer", "--jsonl", "--model", answerer);
        assertThat(question.err()).hasLineCount(1).contains("line 1").contains("\"context\" is missing");
        CommandRun query = CommandRun.withInput(
                "{\"query\":\"who\",\"documents\":[]}\n{\"query\":\"x\",\"documents\":[1]}",
                "rerank", "--jsonl", "--label", "good", "--model", classifier);
        assertThat(query.out()).isEqualTo("[]\n");
        assertThat(query.err()).hasLineCount(1).contains("line 2").contains("\"documents\" is not a list of strings");
    }

    /** Nobody waits for the second line before the first is answered. */
    @Test
    void aLineIsAnsweredWhenItIsThere() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        InputStream in = new InputStream() {
            private final byte[] lines = "{\"text\":\"bob\"}\n{\"text\":\"he\"}\n".getBytes(StandardCharsets.UTF_8);
            private int next;

            @Override
            public int available() {
                return next < 15 ? 15 - next : out.size() > 0 ? lines.length - next : 0;
            }

            @Override
            public int read() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int read(byte[] buffer, int offset, int length) {
                if (next == lines.length) {
                    return -1;
                }
                // What comes after the first line is a question that follows from its answer.
                assertThat(next < 15 || out.size() > 0).isTrue();
                int count = Math.min(length, (next < 15 ? 15 : lines.length) - next);
                System.arraycopy(lines, next, buffer, offset, count);
                next += count;
                return count;
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Streams streams = new Streams(in, new StandardOutput(out), new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
        int status = new Cli(new Context(streams, new Interruption(), HeadStart.none())).run("embed", "--jsonl",
                "--model", filler);
        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).hasLineCount(2);
    }

    @Test
    void anInterruptionLeavesWholeLines() {
        Interruption interruption = new Interruption();
        ByteArrayOutputStream out = new ByteArrayOutputStream() {
            @Override
            public void flush() {
                if (!interruption.requested()) {
                    new Thread(interruption::endCleanly).start();
                    while (!interruption.requested()) {
                        Thread.onSpinWait();
                    }
                }
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        byte[] lines = "{\"text\":\"bob\"}\n".repeat(5000).getBytes(StandardCharsets.UTF_8);
        int status = CommandRun.run(lines, out, err, interruption, "embed", "--jsonl", "--model", filler);
        interruption.finished();
        assertThat(status).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("]]}\n");
        assertThat(out.toString(StandardCharsets.UTF_8).lines().count()).isBetween(1L, 4999L);
    }

    @Test
    void anInterruptionStopsBetweenBatches() {
        Interruption interruption = new Interruption();
        interruption.endCleanly();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = CommandRun.run(new byte[0], out, err, interruption, "embed", "bob", "he", "she", "--batch-tokens",
                "1", "--json", "--model", filler);
        assertThat(status).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8)).isEmpty();
        status = CommandRun.run(new byte[0], out, err, interruption, "mask-generate", "bob", "--json", "--model",
                filler);
        assertThat(status).isEqualTo(130);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("\"finish_reason\":\"cancelled\"");
    }

    @Test
    void aProgressBarIsForTerminals() {
        byte[] lines = "{\"text\":\"bob is a man\"}\n".repeat(20_000).getBytes(StandardCharsets.UTF_8);
        for (boolean terminal : new boolean[]{false, true}) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Streams streams = new Streams(new SequenceInputStream(late(), new ByteArrayInputStream(lines)),
                    new StandardOutput(out), new PrintStream(err, true, StandardCharsets.UTF_8), terminal);
            int status = new Cli(new Context(streams, new Interruption(), HeadStart.none())).run("classify", "--jsonl",
                    "--model", classifier);
            assertThat(status).isZero();
            assertThat(out.toString(StandardCharsets.UTF_8)).hasLineCount(20_000).doesNotContain("\r");
            assertThat(err.toString(StandardCharsets.UTF_8).contains("\rclassify line ")).isEqualTo(terminal);
        }
    }

    /** Nothing, but not at once: what is over in a moment has no bar. */
    private static InputStream late() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                try {
                    Thread.sleep(400);
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                return -1;
            }
        };
    }

    @Test
    void forwardWritesWhatTheModelHas() throws IOException {
        assertThat(tensors("BertForPreTraining")).containsOnly(Map.entry("logits", List.of(5L, 32L)),
                Map.entry("seq_relationship_logits", List.of(2L)), Map.entry("last_hidden_state", List.of(5L, 16L)),
                Map.entry("pooler_output", List.of(16L)), Map.entry("hidden_0", List.of(5L, 16L)),
                Map.entry("hidden_1", List.of(5L, 16L)), Map.entry("hidden_2", List.of(5L, 16L)));
        assertThat(tensors("BertForNextSentencePrediction")).containsEntry("logits", List.of(2L))
                .containsKey("pooler_output").doesNotContainKey("seq_relationship_logits");
        assertThat(tensors("BertForMultipleChoice")).containsEntry("logits", List.of(1L));
        assertThat(tensors("BertForQuestionAnswering")).containsEntry("logits", List.of(5L, 2L))
                .doesNotContainKey("pooler_output");
        assertThat(tensors("BertForTokenClassification", "a", "b", "c")).containsEntry("logits", List.of(5L, 3L));
        assertThat(tensors("BertForSequenceClassification", "a", "b", "c")).containsEntry("logits", List.of(3L));
        assertThat(tensors("BertModel")).doesNotContainKey("logits").containsKeys("last_hidden_state",
                "pooler_output");
        CommandRun unseen = CommandRun.of("forward", "--ids", "2,15,3", "--attention-mask", "0,1,1", "--model",
                folder.resolve("BertModel").toString(), "--output", folder.resolve("n.safetensors").toString());
        assertThat(unseen.status()).isEqualTo(1);
        assertThat(unseen.err()).hasLineCount(1).contains("first position");
    }

    private static Map<String, List<Long>> tensors(String architecture, String... labels) throws IOException {
        Path model = TinyBert.write(folder.resolve(architecture), architecture, labels);
        Path file = folder.resolve(architecture + ".safetensors");
        CommandRun run = CommandRun.of("forward", "bob", "--pair", "he", "--all-hidden", "--model", model.toString(),
                "--output", file.toString());
        assertThat(run.status()).as(run.err()).isZero();
        try (Safetensors numbers = Safetensors.open(file)) {
            Map<String, List<Long>> shapes = new HashMap<>();
            for (TensorInfo tensor : numbers.tensors()) {
                shapes.put(tensor.name(), tensor.shape());
            }
            return shapes;
        }
    }

    @Test
    void infoAndBenchKnowABert() {
        Map<String, Object> info = CommandRun.of("info", "--json", "--model", tagger).object();
        assertThat(info).containsEntry("heads", List.of("token_classifier"))
                .containsEntry("labels", List.of("O", "B-PER", "I-PER")).containsEntry("tokens", 32);
        assertThat(CommandRun.asObject(info.get("config"))).containsEntry("hidden_size", TinyBert.WIDTH)
                .containsEntry("num_hidden_layers", TinyBert.LAYERS);
        assertThat(CommandRun.asObject(info.get("memory"))).containsEntry("cache_bytes", 0);
        assertThat(CommandRun.of("info", "--model", tagger).out()).contains("heads       token_classifier")
                .contains("labels      O, B-PER, I-PER").doesNotContain("cache");
        CommandRun bench = CommandRun.of("bench", "-p", "10", "-b", "40", "-r", "1", "--json", "--model", tagger);
        assertThat(bench.status()).as(bench.err()).isZero();
        assertThat(bench.objects()).hasSize(1).first().satisfies(test -> assertThat(test).containsEntry("test",
                "pp10b40").containsEntry("limit", "FMA peak").containsKey("share").doesNotContainKey(
                        "first_token_seconds"));
        CommandRun generating = CommandRun.of("bench", "-n", "4", "--model", tagger);
        assertThat(generating.status()).isEqualTo(2);
        assertThat(generating.err()).hasLineCount(1).contains("-n 4").contains("BERT");
    }

    @Test
    void theWrongKindOfModelIsNamed() {
        String gpt2 = CommandRun.embeddedModel().toString();
        for (String command : List.of("fill-mask", "mask-generate", "embed", "classify", "tag", "rerank", "answer")) {
            List<String> line = new ArrayList<>(List.of(command, "bob"));
            line.addAll(command.equals("rerank") ? List.of("he") : List.of());
            line.addAll(command.equals("answer") ? List.of("--question", "who") : List.of());
            CommandRun none = CommandRun.of(line.toArray(String[]::new));
            assertThat(none.status()).isEqualTo(2);
            assertThat(none.err()).hasLineCount(1).contains(command + " needs a BERT").contains("--model")
                    .contains("convert");
            line.addAll(List.of("--model", gpt2));
            CommandRun wrong = CommandRun.of(line.toArray(String[]::new));
            assertThat(wrong.status()).isEqualTo(1);
            assertThat(wrong.err()).hasLineCount(1).contains("is a GPT; " + command + " needs a BERT");
        }
        CommandRun generate = CommandRun.of("generate", "bob", "--model", filler);
        assertThat(generate.status()).isEqualTo(1);
        assertThat(generate.err()).hasLineCount(1).contains("is a BERT; generate needs a GPT: use mask-generate");
        CommandRun headless = CommandRun.of("classify", "bob", "--model", filler);
        assertThat(headless.status()).isEqualTo(1);
        assertThat(headless.err()).hasLineCount(1).contains("sequence classifier").contains("masked-LM head");
    }

    @Test
    void aKindThatNobodyKnowsIsNamed() throws IOException {
        Path model = TinyBert.write(folder.resolve("unknown"), "BertForMaskedLM");
        String config = Files.readString(model.resolve("config.json"));
        Files.writeString(model.resolve("config.json"), config.replace("\"bert\"", "\"ro\\u001bberta\""));
        CommandRun run = CommandRun.of("info", "--model", model.toString());
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("\"ro?berta\"").contains("gpt2, openai-gpt and bert");
        // The oldest configs do not say what they are of.
        Files.writeString(model.resolve("config.json"), config.replace("\"model_type\": \"bert\", ", "")
                .replace("\"architectures\": [\"BertForMaskedLM\"], ", ""));
        assertThat(CommandRun.of("fill-mask", "[MASK]", "--json", "--model", model.toString()).out())
                .isEqualTo(CommandRun.of("fill-mask", "[MASK]", "--json", "--model", filler).out());
    }

    @Test
    void tokenizeAndDetokenizeKnowWordPiece() {
        assertThat(CommandRun.of("tokenize", "Bob cab", "--pair", "he", "--max-length", "9", "--padding", "max_length",
                "--json", "--model", filler).line())
                .isEqualTo("{\"ids\":[2,15,7,10,11,3,19,3,0],"
                        + "\"tokens\":[\"[CLS]\",\"bob\",\"c\",\"##a\",\"##b\",\"[SEP]\",\"he\",\"[SEP]\",\"[PAD]\"],"
                        + "\"token_type_ids\":[0,0,0,0,0,0,1,1,0],\"attention_mask\":[1,1,1,1,1,1,1,1,0],"
                        + "\"offsets\":[[0,0],[0,3],[4,5],[5,6],[6,7],[0,0],[0,2],[0,0],[0,0]]}");
        CommandRun cut = CommandRun.of("tokenize", "bob cab", "--pair", "he", "--max-length", "5", "--model", filler);
        assertThat(cut.out()).hasLineCount(5);
        assertThat(cut.err()).contains("cut to 5 tokens");
        CommandRun line = CommandRun.withInput("{\"text\":\"bob\"}", "tokenize", "--jsonl", "--max-length", "1",
                "--model", filler);
        assertThat(line.status()).isEqualTo(1);
        assertThat(line.err()).hasLineCount(1).contains("line 1");
        CommandRun back = CommandRun.of("detokenize", "2,15,7,10,11,3", "--model", filler);
        assertThat(back.out()).isEqualTo("[CLS] bob cab [SEP]\n");
        assertThat(back.err()).isEmpty();
    }
}
