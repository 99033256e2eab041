package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.Activation;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SentenceConfig;

/** Poolings against sums written out, prompts, layers behind, and what a sentence-transformers directory says. */
class EmbedderTest {

    private static final EmbedderOptions MEAN = EmbedderOptions.defaults();

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private Embedder task;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertModel", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        task = Embedder.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeTask() {
        task.close();
    }

    private float[] embed(TaskInput input, Pooling... poolings) {
        return task.embed(input, MEAN.withPoolings(poolings)).vector();
    }

    @Test
    void poolingsOfTheTokensThatAreAttendedTo() {
        int[] mask = {1, 1, 1, 0, 1, 0};
        EncoderInput input = new EncoderInput(new int[]{2, 10, 11, 12, 3, 0}, null, mask);
        float[][] states = bert.states(input);
        float[][] expected = new float[6][TinyBert.HIDDEN];
        for (int d = 0; d < TinyBert.HIDDEN; d++) {
            double sum = 0;
            double weighted = 0;
            float max = Float.NEGATIVE_INFINITY;
            for (int i : new int[]{0, 1, 2, 4}) {
                sum += states[i][d];
                weighted += (i + 1) * states[i][d];
                max = Math.max(max, states[i][d]);
            }
            expected[Pooling.CLS.ordinal()][d] = states[0][d];
            expected[Pooling.MAX.ordinal()][d] = max;
            expected[Pooling.MEAN.ordinal()][d] = (float) (sum / 4);
            expected[Pooling.MEAN_SQRT_LEN.ordinal()][d] = (float) (sum / 2);
            expected[Pooling.WEIGHTED_MEAN.ordinal()][d] = (float) (weighted / (1 + 2 + 3 + 5));
            expected[Pooling.LAST_TOKEN.ordinal()][d] = states[4][d];
        }
        for (Pooling pooling : Pooling.values()) {
            if (pooling != Pooling.POOLER) {
                assertThat(embed(TaskInput.of(input), pooling)).as(pooling.name())
                        .containsExactly(expected[pooling.ordinal()], within(1e-6f));
            }
        }
    }

    @Test
    void severalPoolingsAreConcatenatedInTheirOrder() {
        TaskInput input = TaskInput.of("the man is good");
        float[] both = embed(input, Pooling.POOLER, Pooling.MEAN, Pooling.CLS, Pooling.MEAN);
        assertThat(both).hasSize(3 * TinyBert.HIDDEN);
        assertThat(task.dimensions(MEAN.withPoolings(Pooling.MEAN, Pooling.CLS))).isEqualTo(2 * TinyBert.HIDDEN);
        int offset = 0;
        for (Pooling pooling : List.of(Pooling.CLS, Pooling.MEAN, Pooling.POOLER)) {
            assertThat(Arrays.copyOfRange(both, offset, offset + TinyBert.HIDDEN))
                    .isEqualTo(embed(input, pooling));
            offset += TinyBert.HIDDEN;
        }
        assertThatIllegalArgumentException().isThrownBy(() -> MEAN.withPoolings());
    }

    @Test
    void normalizedVectorsHaveLengthOne() {
        for (String text : TinyBert.texts(20, 20, 2)) {
            float[] vector = task.embed(TaskInput.of(text), MEAN.withNormalize(true)).vector();
            double squares = 0;
            for (float value : vector) {
                squares += value * value;
            }
            assertThat(squares).isCloseTo(1, within(1e-6));
        }
        float[] zero = new float[3];
        StatePooling.normalize(zero);
        assertThat(zero).containsOnly(0);
    }

    @Test
    void aPromptGoesBeforeTheText() {
        EmbedderOptions prompted = MEAN.withPrompt("the man ");
        assertThat(task.embed(TaskInput.of("is good"), prompted).vector())
                .isEqualTo(task.embed(TaskInput.of("the man is good"), MEAN).vector());
        float[][] states = bert.states(EncoderInput.of(bert.tokenizer().ids("the man is good")));
        float[] mean = new float[TinyBert.HIDDEN];
        for (int d = 0; d < mean.length; d++) {
            mean[d] = (float) (((double) states[3][d] + states[4][d] + states[5][d]) / 3);
        }
        EmbedderOptions excluded = prompted.withIncludePrompt(false);
        assertThat(task.embed(TaskInput.of("is good"), excluded).vector()).containsExactly(mean, within(1e-6f));
        assertThat(task.embed(TaskInput.of("is good"), excluded.withPoolings(Pooling.CLS)).vector())
                .isEqualTo(states[0]);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.embed(TaskInput.of(EncoderInput.of(2, 10, 3)), prompted))
                .withMessageContaining("ids");
    }

    @Test
    void longTextsAreTruncatedAndThatIsTold() {
        List<Embedding> all = task.embedAll(List.of(TaskInput.of("the man is good"), TaskInput.of("the")),
                MEAN.withMaxLength(4), TaskProgress.NONE);
        assertThat(all).extracting(Embedding::truncated).containsExactly(true, false);
        assertThat(all).extracting(Embedding::tokens).containsExactly(4, 3);
        assertThat(all.getFirst().vector()).isEqualTo(task.embed(TaskInput.of("the man"), MEAN).vector());
        assertThatIllegalArgumentException().isThrownBy(() -> task.embed(TaskInput.of("a"), MEAN.withMaxLength(500)))
                .withMessageContaining("500");
    }

    @Test
    void aPoolerIsNeededForItsOutput(@TempDir Path folder) throws IOException {
        try (TinyBert other = TinyBert.open(folder, "BertForMaskedLM", 0);
                Embedder embedder = Embedder.open(other.model(), other.tokenizer())) {
            assertThat(embedder.embed(TaskInput.of("the man"), MEAN).vector()).hasSize(TinyBert.HIDDEN);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> embedder.embed(TaskInput.of("a"), MEAN.withPoolings(Pooling.POOLER)))
                    .withMessageContaining("pooler");
        }
    }

    private static SentenceConfig.Dense dense(Path folder, int inputs, Optional<Activation> activation, float[] weight,
            float[] bias) throws IOException {
        Path file = folder.resolve("model.safetensors");
        List<SafetensorsWriter.Declaration> tensors = List.of(
                SafetensorsWriter.Declaration.f32("linear.weight", weight.length / inputs, inputs),
                SafetensorsWriter.Declaration.f32("linear.bias", bias.length));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            writer.append(weight);
            writer.append(bias);
            writer.finish();
        }
        return new SentenceConfig.Dense(inputs, weight.length / inputs, true, activation, file);
    }

    @Test
    void denseLayersFollowThePooling(@TempDir Path folder) throws IOException {
        float[] weight = new float[2 * TinyBert.HIDDEN];
        weight[0] = 2;
        weight[TinyBert.HIDDEN + 5] = -1;
        float[] bias = {0.5f, 0.25f};
        float[] mean = embed(TaskInput.of("the man"), Pooling.MEAN);
        double[] linear = {2.0 * mean[0] + 0.5, -(double) mean[5] + 0.25};
        DenseLayer none = DenseLayer.load(dense(folder, TinyBert.HIDDEN, Optional.empty(), weight, bias));
        DenseLayer tanh = DenseLayer
                .load(dense(folder, TinyBert.HIDDEN, Optional.of(Activation.TANH), weight, bias));
        DenseLayer relu = DenseLayer
                .load(dense(folder, TinyBert.HIDDEN, Optional.of(Activation.RELU), weight, bias));
        for (int i = 0; i < 2; i++) {
            assertThat(task.embed(TaskInput.of("the man"), MEAN.withLayers(List.of(none))).vector()[i])
                    .isEqualTo((float) linear[i]);
            assertThat(task.embed(TaskInput.of("the man"), MEAN.withLayers(List.of(tanh))).vector()[i])
                    .isEqualTo((float) Math.tanh(linear[i]), within(1e-6f));
            assertThat(task.embed(TaskInput.of("the man"), MEAN.withLayers(List.of(relu))).vector()[i])
                    .isEqualTo((float) Math.max(0, linear[i]));
        }
        assertThat(task.dimensions(MEAN.withLayers(List.of(none)))).isEqualTo(2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.embed(TaskInput.of("a"), MEAN.withLayers(List.of(none, none))))
                .withMessageContaining("30").withMessageContaining("2");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> DenseLayer.load(new SentenceConfig.Dense(7, 2,
                true, Optional.empty(), folder.resolve("model.safetensors")))).withMessageContaining("linear.weight")
                .withMessageContaining("[2, 7]");
    }

    @Test
    void aSentenceTransformersDirectory(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("modules.json"), """
                [{"type": "sentence_transformers.models.Transformer", "path": ""},
                 {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
                 {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}]
                """);
        Files.createDirectory(folder.resolve("1_Pooling"));
        Files.writeString(folder.resolve("1_Pooling/config.json"),
                "{\"pooling_mode_max_tokens\": true, \"pooling_mode_mean_tokens\": true, \"include_prompt\": false}");
        Files.writeString(folder.resolve("sentence_bert_config.json"),
                "{\"max_seq_length\": 9, \"do_lower_case\": true}");
        Files.writeString(folder.resolve("config_sentence_transformers.json"),
                "{\"prompts\": {\"query\": \"The \"}, \"default_prompt_name\": \"query\"}");
        EmbedderOptions options = EmbedderOptions.of(SentenceConfig.read(folder));
        assertThat(options).isEqualTo(new EmbedderOptions(List.of(Pooling.MAX, Pooling.MEAN), List.of(), true, 9,
                LongTexts.TRUNCATE, true, "The ", false));
        assertThat(task.embed(TaskInput.of("MAN"), options).vector()).hasSize(2 * TinyBert.HIDDEN);
        assertThat(EmbedderOptions.of(SentenceConfig.defaults())).isEqualTo(MEAN);
        assertThat(EmbedderOptions.of(bert.model())).isEqualTo(MEAN);
        try (TinyBert sentences = TinyBert.open(folder, "BertModel", 0);
                Embedder own = Embedder.open(sentences.model())) {
            assertThat(EmbedderOptions.of(sentences.model())).isEqualTo(options);
            assertThat(own.embed(TaskInput.of("MAN"), options).vector()).hasSize(2 * TinyBert.HIDDEN);
        }
    }

    @Test
    void severalEmbeddersShareAModel() throws Exception {
        try (Bert model = Bert.load(bert.engine(), ModelFiles.of(directory), LoadOptions.defaults())) {
            List<TaskInput> inputs = TinyBert.texts(30, 25, 6).stream().map(TaskInput::of).toList();
            List<Embedding> expected = task.embedAll(inputs, MEAN, TaskProgress.NONE);
            List<Thread> threads = new ArrayList<>();
            List<List<Embedding>> results = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < 3; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try (Embedder own = Embedder.open(model, bert.tokenizer())) {
                        results.add(own.embedAll(inputs, MEAN, TaskProgress.NONE));
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(results).hasSize(3);
            for (List<Embedding> result : results) {
                for (int i = 0; i < inputs.size(); i++) {
                    assertThat(result.get(i).vector()).isEqualTo(expected.get(i).vector());
                }
            }
        }
    }

    @Test
    void aCancellationEndsACall() {
        List<TaskInput> inputs = TinyBert.texts(200, 25, 6).stream().map(TaskInput::of).toList();
        Cancellation cancellation = new Cancellation();
        AtomicInteger finished = new AtomicInteger();
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> task.embedAll(inputs, MEAN, (done, _) -> {
                    finished.set(done);
                    cancellation.cancel();
                }, cancellation)).withMessageContaining("of 200 inputs");
        assertThat(finished.get()).isBetween(1, 199);
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> task.embed(inputs.getFirst(), MEAN, cancellation));
        assertThatExceptionOfType(DeadlineException.class)
                .isThrownBy(() -> task.embed(inputs.getFirst(), MEAN, Cancellation.after(Duration.ZERO)));
        assertThat(task.embed(inputs.getFirst(), MEAN, new Cancellation()).windows()).isEqualTo(1);
    }
}
