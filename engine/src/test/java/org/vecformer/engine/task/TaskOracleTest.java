package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SentenceConfig;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Tokenizer;

/** What the tasks tell agrees with Hugging Face's pipelines: each input alone, and all of a file in mixed batches. */
class TaskOracleTest {

    private static final double BOUND = 2e-5;
    private static final EncoderOptions SMALL_BATCHES = EncoderOptions.defaults().withMaxBatchTokens(70);

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(2);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Path folder(String name) {
        return Oracle.shared("oracle/models/" + name);
    }

    private static Bert load(Path folder) throws IOException {
        return Bert.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
    }

    @Tag("width")
    @ParameterizedTest
    @ValueSource(strings = {"bert-mini-pretraining", "bert-tiny-mlm"})
    void fillMask(String name) throws IOException {
        Path folder = folder(name);
        List<JsonNode> rows = Oracle.rows(folder.resolve("fill_mask.jsonl"));
        try (Bert model = load(folder); FillMask task = FillMask.open(model, Tokenizer.load(folder), SMALL_BATCHES)) {
            for (JsonNode row : rows) {
                FillMaskOptions options = FillMaskOptions.defaults().withTopK(row.at("/args/top_k").asInt());
                if (row.at("/args/targets").isArray()) {
                    options = options.withTargets(strings(row.at("/args/targets")));
                }
                TaskInput input = TaskInput.of(row.get("text").asText());
                List<MaskFill> alone = task.fill(input, options);
                boolean several = row.get("output").get(0).isArray();
                assertThat(alone).hasSize(several ? row.get("output").size() : 1);
                for (int i = 0; i < alone.size(); i++) {
                    checkFill(alone.get(i), several ? row.get("output").get(i) : row.get("output"));
                }
                List<TaskInput> mixed = rows.stream().map(r -> TaskInput.of(r.get("text").asText())).toList();
                List<List<MaskFill>> together = task.fillAll(mixed, options, TaskProgress.NONE);
                assertThat(together.get(rows.indexOf(row))).as("the same bits in a batch").isEqualTo(alone);
            }
        }
        assertThat(rows).hasSizeGreaterThan(6);
    }

    private static void checkFill(MaskFill fill, JsonNode expected) {
        assertThat(fill.candidates()).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            MaskFill.Candidate candidate = fill.candidates().get(i);
            assertThat(candidate.id()).isEqualTo(expected.get(i).get("token").asInt());
            assertThat(candidate.token()).isEqualTo(expected.get(i).get("token_str").asText());
            assertThat(candidate.text()).isEqualTo(expected.get(i).get("sequence").asText());
            assertThat(candidate.probability()).isCloseTo(expected.get(i).get("score").asDouble(), within(BOUND));
        }
    }

    private static String[] strings(JsonNode array) {
        return IntStream.range(0, array.size()).mapToObj(i -> array.get(i).asText()).toArray(String[]::new);
    }

    @Tag("width")
    @Test
    void textClassification() throws IOException {
        Path folder = folder("bert-mini-seq-cls");
        List<JsonNode> rows = Oracle.rows(folder.resolve("text_classification.jsonl"));
        List<TaskInput> inputs = rows.stream().map(row -> row.get("text").isObject()
                ? TaskInput.of(row.at("/text/text").asText(), row.at("/text/text_pair").asText())
                : TaskInput.of(row.get("text").asText())).toList();
        try (Bert model = load(folder);
                Classifier task = Classifier.open(model, Tokenizer.load(folder), SMALL_BATCHES)) {
            for (int i = 0; i < rows.size(); i++) {
                JsonNode args = rows.get(i).get("args");
                ClassifierOptions options = ClassifierOptions.defaults()
                        .withTopK(args.has("top_k") ? args.get("top_k").asInt(0) : 1)
                        .withFunction(args.has("function_to_apply") ? ScoreFunction.SIGMOID : ScoreFunction.AUTO);
                Classification alone = task.classify(inputs.get(i), options);
                JsonNode expected = rows.get(i).get("output");
                assertThat(alone.labels()).hasSize(expected.isArray() ? expected.size() : 1);
                for (int j = 0; j < alone.labels().size(); j++) {
                    JsonNode label = expected.isArray() ? expected.get(j) : expected;
                    assertThat(alone.labels().get(j).label()).isEqualTo(label.get("label").asText());
                    assertThat(alone.labels().get(j).score()).isCloseTo(label.get("score").asDouble(), within(BOUND));
                }
                assertThat(task.classifyAll(inputs, options, TaskProgress.NONE).get(i)).isEqualTo(alone);
            }
        }
        assertThat(rows).hasSize(13);
    }

    /** Softmax and sigmoid of the golden logits; the automatic choice is what the head was trained for. */
    @Tag("width")
    @ParameterizedTest
    @ValueSource(strings = {"bert-mini-seq-cls", "bert-mini-multilabel", "bert-mini-regression"})
    void functionsOfTheHeads(String name) throws IOException {
        Path folder = folder(name);
        String chosen = switch (name) {
            case "bert-mini-seq-cls" -> "probs_softmax";
            case "bert-mini-multilabel" -> "probs_sigmoid";
            default -> "logits";
        };
        try (Bert model = load(folder); Classifier task = Classifier.open(model, Tokenizer.load(folder))) {
            for (JsonNode row : Oracle.rows(folder.resolve("golden.jsonl"))) {
                for (var function : List.of(List.of(ScoreFunction.AUTO, chosen), List.of(ScoreFunction.NONE, "logits"),
                        List.of(ScoreFunction.SOFTMAX, "probs_softmax"),
                        List.of(ScoreFunction.SIGMOID, "probs_sigmoid"))) {
                    JsonNode expected = row.get((String) function.getLast());
                    if (expected == null) {
                        continue;
                    }
                    Classification got = task.classify(TaskInput.of(ids(row)),
                            ClassifierOptions.defaults().withFunction((ScoreFunction) function.getFirst()));
                    assertThat(got.labels()).hasSize(expected.size());
                    for (LabelScore label : got.labels()) {
                        assertThat(label.score()).isCloseTo(expected.get(label.index()).asDouble(), within(1e-4));
                    }
                }
            }
        }
    }

    private static EncoderInput ids(JsonNode row) {
        return new EncoderInput(Oracle.ints(row.get("input_ids")), Oracle.ints(row.get("token_type_ids")),
                Oracle.ints(row.get("attention_mask")));
    }

    @Tag("width")
    @Test
    void tokenClassification() throws IOException {
        Path folder = folder("bert-mini-token-cls");
        List<JsonNode> rows = Oracle.rows(folder.resolve("token_classification.jsonl"));
        List<TaskInput> inputs = rows.stream().map(row -> TaskInput.of(row.get("text").asText())).toList();
        try (Bert model = load(folder);
                TokenClassifier task = TokenClassifier.open(model, Tokenizer.load(folder), SMALL_BATCHES)) {
            for (int i = 0; i < rows.size(); i++) {
                JsonNode args = rows.get(i).get("args");
                TokenClassifierOptions options = TokenClassifierOptions.defaults().withAggregation(
                        Aggregation.valueOf(args.get("aggregation_strategy").asText().toUpperCase(Locale.ROOT)));
                if (args.has("ignore_labels")) {
                    options = options.withIgnoreLabels(strings(args.get("ignore_labels")));
                }
                TaggedText alone = task.tag(inputs.get(i), options);
                checkEntities(alone.entities(), rows.get(i).get("output"));
                assertThat(task.tagAll(inputs, options, TaskProgress.NONE).get(i)).isEqualTo(alone);
                // Windows that hold all of the text are the text.
                assertThat(task.tag(inputs.get(i), options.withStride(5))).isEqualTo(alone);
            }
        }
        assertThat(rows).hasSize(18);
    }

    private static void checkEntities(List<Entity> entities, JsonNode expected) {
        assertThat(entities).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            Entity entity = entities.get(i);
            JsonNode row = expected.get(i);
            assertThat(entity.label()).isEqualTo(row.path("entity").asText(row.path("entity_group").asText()));
            assertThat(entity.word()).isEqualTo(row.get("word").asText());
            assertThat(entity.start()).isEqualTo(row.get("start").asInt());
            assertThat(entity.end()).isEqualTo(row.get("end").asInt());
            assertThat(entity.index()).isEqualTo(row.path("index").asInt(-1));
            assertThat(entity.score()).isCloseTo(row.get("score").asDouble(), within(BOUND));
        }
    }

    @Tag("width")
    @Test
    void questionAnswering() throws IOException {
        Path folder = folder("bert-mini-qa");
        List<JsonNode> rows = Oracle.rows(folder.resolve("question_answering.jsonl"));
        List<TaskInput> inputs = rows.stream()
                .map(row -> TaskInput.of(row.get("question").asText(), row.get("context").asText())).toList();
        try (Bert model = load(folder);
                QuestionAnswerer task = QuestionAnswerer.open(model, Tokenizer.load(folder), SMALL_BATCHES)) {
            for (int i = 0; i < rows.size(); i++) {
                QuestionAnswererOptions options = QuestionAnswererOptions.defaults()
                        .withTopK(rows.get(i).at("/args/top_k").asInt())
                        .withMaxAnswerTokens(rows.get(i).at("/args/max_answer_len").asInt());
                List<Answer> alone = task.answer(inputs.get(i).text(), inputs.get(i).pair(), options);
                JsonNode expected = rows.get(i).get("output");
                assertThat(alone).hasSize(expected.size());
                for (int j = 0; j < expected.size(); j++) {
                    JsonNode row = expected.get(j);
                    assertThat(alone.get(j).text()).isEqualTo(row.get("answer").asText());
                    assertThat(alone.get(j).start()).isEqualTo(row.get("start").asInt());
                    assertThat(alone.get(j).end()).isEqualTo(row.get("end").asInt());
                    assertThat(alone.get(j).startToken()).isEqualTo(row.get("start_token").asInt());
                    assertThat(alone.get(j).endToken()).isEqualTo(row.get("end_token").asInt());
                    assertThat(alone.get(j).score()).isCloseTo(row.get("score").asDouble(), within(BOUND));
                }
                assertThat(task.answerAll(inputs, options, TaskProgress.NONE).get(i)).isEqualTo(alone);
            }
        }
    }

    @Tag("width")
    @Test
    void nextSentence() throws IOException {
        Path folder = folder("bert-mini-nsp");
        try (Bert model = load(folder); NextSentence task = NextSentence.open(model, Tokenizer.load(folder))) {
            List<JsonNode> rows = Oracle.rows(folder.resolve("golden.jsonl"));
            List<NextSentence.Score> scores = task.scoreAll(rows.stream().map(row -> TaskInput.of(ids(row))).toList(),
                    TaskProgress.NONE);
            for (int i = 0; i < rows.size(); i++) {
                JsonNode row = rows.get(i);
                assertThat(scores.get(i).isNext()).isCloseTo(row.at("/logits/0").asDouble(), within(2e-4));
                assertThat(scores.get(i).isRandom()).isCloseTo(row.at("/logits/1").asDouble(), within(2e-4));
                assertThat(scores.get(i).probability()).isCloseTo(row.at("/probs_softmax/0").asDouble(), within(1e-4));
                if (row.hasNonNull("pair")) {
                    NextSentence.Score text = task.score(row.get("text").asText(), row.get("pair").asText());
                    boolean whole = Tokenizer.load(folder).encode(row.get("text").asText(), row.get("pair").asText(),
                            EncodingOptions.defaults()).size() == IntStream
                                    .of(ids(row).attentionMask()).sum();
                    if (whole) {
                        assertThat(text).isEqualTo(scores.get(i));
                    }
                }
            }
        }
    }

    @Tag("width")
    @Test
    void multipleChoice() throws IOException {
        Path folder = folder("bert-mini-multiple-choice");
        try (Bert model = load(folder); MultipleChoice task = MultipleChoice.open(model, Tokenizer.load(folder))) {
            for (JsonNode row : Oracle.rows(folder.resolve("golden.jsonl"))) {
                List<Choice> choices = task.choose(row.get("prompt").asText(), List.of(strings(row.get("choices"))));
                assertThat(choices).hasSize(row.get("choices").size());
                for (Choice choice : choices) {
                    assertThat(choice.logit()).isCloseTo(row.get("logits").get(choice.index()).asDouble(),
                            within(2e-4));
                    assertThat(choice.probability()).isCloseTo(row.get("probs").get(choice.index()).asDouble(),
                            within(1e-4));
                }
            }
        }
    }

    @Tag("width")
    @Test
    void pooledStates() throws IOException {
        Path folder = folder("bert-mini-base");
        try (Bert model = load(folder);
                Embedder task = Embedder.open(model, Tokenizer.load(folder), SMALL_BATCHES);
                Safetensors golden = Safetensors.open(folder.resolve("golden.safetensors"))) {
            List<JsonNode> rows = Oracle.rows(folder.resolve("golden.jsonl"));
            List<TaskInput> inputs = rows.stream().map(row -> TaskInput.of(ids(row))).toList();
            EmbedderOptions mean = EmbedderOptions.defaults();
            for (var pooling : List.of(List.of("mean_pooled", mean),
                    List.of("mean_pooled_l2", mean.withNormalize(true)),
                    List.of("cls", mean.withPoolings(Pooling.CLS)),
                    List.of("pooler_output", mean.withPoolings(Pooling.POOLER)))) {
                EmbedderOptions options = (EmbedderOptions) pooling.getLast();
                List<Embedding> together = task.embedAll(inputs, options, TaskProgress.NONE);
                for (int i = 0; i < rows.size(); i++) {
                    float[] expected = Oracle.floats(golden, rows.get(i).get("case").asText() + "."
                            + pooling.getFirst());
                    assertThat(together.get(i).vector()).containsExactly(expected, within(1e-4f));
                    assertThat(task.embed(inputs.get(i), options).vector()).isEqualTo(together.get(i).vector());
                }
            }
        }
    }

    @Test
    void realSentenceVectors() throws IOException {
        Path folder = Oracle.shared("models/all-MiniLM-L6-v2");
        List<JsonNode> rows = Oracle.rows(Oracle.shared("oracle/real-minilm/embeddings.jsonl"));
        List<TaskInput> inputs = rows.stream().map(row -> TaskInput.of(row.get("text").asText())).toList();
        try (Bert model = load(folder); Embedder task = Embedder.open(model, Tokenizer.load(folder))) {
            EmbedderOptions options = EmbedderOptions.of(SentenceConfig.read(folder));
            assertThat(task.dimensions(options)).isEqualTo(384);
            List<Embedding> together = task.embedAll(inputs, options, TaskProgress.NONE);
            for (int i = 0; i < rows.size(); i++) {
                float[] expected = floats(rows.get(i).get("embedding"));
                Embedding got = together.get(i);
                assertThat(got.tokens()).isEqualTo(rows.get(i).get("tokens").asInt());
                assertThat(got.vector()).containsExactly(expected, within(1e-5f));
                assertThat(cosine(got.vector(), expected)).isGreaterThanOrEqualTo(0.999999);
                assertThat(task.embed(inputs.get(i), options).vector()).isEqualTo(got.vector());
            }
        }
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) array.get(i).asDouble();
        }
        return floats;
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(squaresOfA * squaresOfB);
    }

    @Tag("width")
    @Test
    void spansOfTheSharedTokenizerAreCharacters() throws IOException {
        Path folder = folder("bert-mini-token-cls");
        String text = "\uD83D\uDE00 caf\u00e9 in London";
        try (Bert model = load(folder); TokenClassifier task = TokenClassifier.open(model, Tokenizer.load(folder))) {
            List<Entity> entities = task.tag(TaskInput.of(text), TokenClassifierOptions.defaults().withIgnoreLabels())
                    .entities();
            List<Integer> starts = new ArrayList<>();
            var encoding = Tokenizer.load(folder).encode(text);
            for (int i = 1; i < encoding.size() - 1; i++) {
                starts.add(encoding.start(i, OffsetUnit.CHARS));
            }
            assertThat(entities.stream().map(Entity::start).toList()).isEqualTo(starts);
            assertThat(text.substring(entities.getFirst().start(), entities.getFirst().end()))
                    .isEqualTo("\uD83D\uDE00");
            assertThat(entities.getFirst().word()).as("the text's own characters for an unknown token")
                    .isEqualTo("\uD83D\uDE00");
        }
    }
}
