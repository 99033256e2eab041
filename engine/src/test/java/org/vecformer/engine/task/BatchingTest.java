package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;

/** Many inputs: the same bits as alone, in their order, with progress, and an end when somebody wants one. */
@Timeout(60)
class BatchingTest {

    private static final ClassifierOptions RAW = ClassifierOptions.defaults().withFunction(ScoreFunction.NONE);

    @TempDir
    private static Path directory;
    private static TinyBert bert;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertForSequenceClassification", 3);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    private static List<TaskInput> inputs(int count, long seed) {
        List<TaskInput> inputs = new ArrayList<>();
        List<String> pairs = TinyBert.texts(count, 20, seed + 1);
        for (String text : TinyBert.texts(count, 30, seed)) {
            inputs.add(TaskInput.of(text, inputs.size() % 3 == 0 ? pairs.get(inputs.size()) : null));
        }
        inputs.set(count / 2, TaskInput.of(new EncoderInput(new int[]{2, 10, 11, 3, 0, 0}, null,
                new int[]{1, 1, 1, 1, 0, 0})));
        return inputs;
    }

    @Tag("width")
    @ParameterizedTest
    @ValueSource(ints = {1, 40, 200, 1024})
    void theSameBitsAloneAndInAnyBatch(int maxBatchTokens) {
        List<TaskInput> inputs = inputs(60, 5);
        EncoderOptions budget = EncoderOptions.defaults().withMaxBatchTokens(maxBatchTokens);
        try (Classifier alone = Classifier.open(bert.model(), bert.tokenizer());
                Classifier together = Classifier.open(bert.model(), bert.tokenizer(), budget)) {
            List<Classification> expected = inputs.stream().map(input -> alone.classify(input, RAW)).toList();
            assertThat(together.classifyAll(inputs, RAW, TaskProgress.NONE)).isEqualTo(expected);
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                order.add(i);
            }
            Collections.shuffle(order, new Random(3));
            List<Classification> shuffled = together.classifyAll(order.stream().map(inputs::get).toList(), RAW,
                    TaskProgress.NONE);
            for (int i = 0; i < order.size(); i++) {
                assertThat(shuffled.get(i)).isEqualTo(expected.get(order.get(i)));
            }
        }
    }

    @Test
    void progressEndsWithAllInputs() {
        List<Integer> told = new ArrayList<>();
        try (Classifier task = Classifier.open(bert.model(), bert.tokenizer(),
                EncoderOptions.defaults().withMaxBatchTokens(100))) {
            task.classifyAll(inputs(30, 8), RAW, (done, total) -> {
                assertThat(total).isEqualTo(30);
                told.add(done);
            });
            assertThat(told).isSorted().hasSizeGreaterThan(5).doesNotHaveDuplicates().endsWith(30);
            assertThat(task.classifyAll(List.of(), RAW, (_, _) -> told.add(-1))).isEmpty();
            assertThat(told).doesNotContain(-1);
        }
    }

    @Test
    void cancelEndsTheWorkFromAnotherThreadAndNotTheNext() throws InterruptedException {
        List<TaskInput> inputs = inputs(30, 8);
        try (Classifier task = Classifier.open(bert.model(), bert.tokenizer(),
                EncoderOptions.defaults().withMaxBatchTokens(1))) {
            task.cancel();
            assertThat(task.classifyAll(inputs, RAW, TaskProgress.NONE)).as("nothing ran when it was cancelled")
                    .hasSize(30);
            CountDownLatch started = new CountDownLatch(1);
            CountDownLatch cancelled = new CountDownLatch(1);
            Thread other = Thread.ofPlatform().start(() -> {
                await(started);
                task.cancel();
                cancelled.countDown();
            });
            List<Integer> told = new ArrayList<>();
            assertThatExceptionOfType(CancellationException.class).isThrownBy(() -> task.classifyAll(inputs, RAW,
                    (done, _) -> {
                        told.add(done);
                        started.countDown();
                        await(cancelled);
                    })).withMessageContaining("30");
            other.join();
            assertThat(told).containsExactly(1);
            assertThat(task.classify(inputs.getFirst(), RAW).labels()).hasSize(3);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anExceptionOfAListenerOrAnInputLeavesTheTaskUsable() {
        try (Classifier task = Classifier.open(bert.model(), bert.tokenizer())) {
            assertThatIllegalStateException().isThrownBy(() -> task.classifyAll(inputs(3, 1), RAW, (_, _) -> {
                throw new IllegalStateException("enough");
            })).withMessage("enough");
            assertThatIllegalArgumentException().isThrownBy(() -> task.classifyAll(
                    List.of(TaskInput.of("a"), TaskInput.of(EncoderInput.of(2, 5000, 3))), RAW, TaskProgress.NONE))
                    .withMessageContaining("5000");
            assertThatIllegalArgumentException().isThrownBy(() -> task.classify(
                    TaskInput.of(EncoderInput.of(new int[TinyBert.CONTEXT + 1])), RAW)).withMessageContaining("70");
            assertThat(task.classify(TaskInput.of("a"), RAW).labels()).hasSize(3);
        }
    }

    @Test
    void longTextsAreTruncatedAndThatIsTold() {
        String text = "the man ".repeat(100);
        try (Classifier task = Classifier.open(bert.model(), bert.tokenizer())) {
            assertThat(task.classify(TaskInput.of(text), RAW).truncated()).isTrue();
            assertThat(task.classify(TaskInput.of("the man"), RAW).truncated()).isFalse();
            assertThat(task.classify(TaskInput.of("the man"), RAW.withMaxLength(3)).truncated()).isTrue();
            assertThat(task.classify(TaskInput.of("the man"), RAW.withMaxLength(3)).labels())
                    .isEqualTo(task.classify(TaskInput.of("the"), RAW).labels());
            assertThatIllegalArgumentException().isThrownBy(() -> task.classify(TaskInput.of("a"),
                    RAW.withMaxLength(71))).withMessageContaining("71").withMessageContaining("70");
        }
    }

    @Test
    void idsNeedNoTokenizer() {
        try (Classifier task = Classifier.open(bert.model(), null);
                Classifier other = Classifier.open(bert.model(), bert.tokenizer())) {
            assertThat(task.labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
            assertThat(task.classify(TaskInput.of(EncoderInput.of(bert.tokenizer().ids("the man"))), RAW))
                    .isEqualTo(other.classify(TaskInput.of("the man"), RAW));
            assertThatIllegalStateException().isThrownBy(() -> task.classify(TaskInput.of("the man"), RAW))
                    .withMessageContaining("tokenizer");
        }
    }

    @Test
    void onlyTheBestLabelsAreTold() {
        try (Classifier task = Classifier.open(bert.model(), bert.tokenizer())) {
            Classification all = task.classify(TaskInput.of("the man"), ClassifierOptions.defaults());
            assertThat(all.labels().stream().mapToDouble(LabelScore::score).sum()).isCloseTo(1,
                    within(1e-9));
            Classification two = task.classify(TaskInput.of("the man"), ClassifierOptions.defaults().withTopK(2));
            assertThat(two.labels()).isEqualTo(all.labels().subList(0, 2));
        }
    }

    @Test
    void aTaskWithoutItsHeadIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> FillMask.open(bert.model(), bert.tokenizer()))
                .withMessageContaining("masked-LM").withMessageContaining("sequence classifier");
        assertThatIllegalArgumentException().isThrownBy(() -> QuestionAnswerer.open(bert.model(), bert.tokenizer()));
        assertThatIllegalArgumentException().isThrownBy(() -> TokenClassifier.open(bert.model(), bert.tokenizer()));
        assertThatIllegalArgumentException().isThrownBy(() -> MultipleChoice.open(bert.model(), bert.tokenizer()));
        assertThatIllegalArgumentException().isThrownBy(() -> NextSentence.open(bert.model(), bert.tokenizer()));
        assertThatIllegalArgumentException().isThrownBy(() -> MaskGenerator.open(bert.model(), bert.tokenizer()));
    }

    @Test
    void anInputIsATextOrIds() {
        assertThatIllegalArgumentException().isThrownBy(() -> new TaskInput(null, null, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new TaskInput("a", null, EncoderInput.of(1)));
        assertThatIllegalArgumentException().isThrownBy(() -> new TaskInput(null, "b", EncoderInput.of(1)));
    }

    // ---- ranking, on the same model

    @Test
    void documentsAreRankedByTheLabelThatWasChosen() {
        List<String> documents = List.of("the city", "a man", "the city", "q");
        try (Reranker task = Reranker.open(bert.model(), bert.tokenizer());
                Classifier classifier = Classifier.open(bert.model(), bert.tokenizer())) {
            RerankerOptions options = RerankerOptions.defaults().withLabel("LABEL_1");
            List<Ranked> ranked = task.rank("is it", documents, options, TaskProgress.NONE);
            assertThat(ranked).extracting(Ranked::index).containsExactlyInAnyOrder(0, 1, 2, 3);
            assertThat(ranked).extracting(Ranked::score).isSortedAccordingTo(Collections.reverseOrder());
            List<Integer> order = ranked.stream().map(Ranked::index).toList();
            assertThat(order.indexOf(2)).as("equal ones in their order").isEqualTo(order.indexOf(0) + 1);
            for (Ranked one : ranked) {
                assertThat(classifier.classify(TaskInput.of("is it", documents.get(one.index())),
                        ClassifierOptions.defaults()).labels())
                        .contains(new LabelScore(1, "LABEL_1", one.score()));
            }
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> task.rank("q", documents, RerankerOptions.defaults(), TaskProgress.NONE))
                    .withMessageContaining("LABEL_0, LABEL_1, LABEL_2");
            assertThatIllegalArgumentException().isThrownBy(() -> task.rank("q", documents,
                    options.withLabel("relevant"), TaskProgress.NONE)).withMessageContaining("relevant");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Sigmoid",
        "torch.nn.modules.activation.Tanh"})
    void aCrossEncodersFunctionIsThatOfItsConfig(String function, @TempDir Path folder) throws IOException {
        try (TinyBert first = TinyBert.open(folder, "BertForSequenceClassification", 1)) {
            assertThat(first.model().config().crossEncoderActivation()).isEmpty();
        }
        Path config = folder.resolve("config.json");
        if (!function.isEmpty()) {
            Files.writeString(config, Files.readString(config).replaceFirst("\\{",
                    "{\"sbert_ce_default_activation_function\": \"" + function + "\","));
        }
        try (Bert model = Bert.load(bert.engine(),
                ModelFiles.of(folder), LoadOptions.defaults());
                Reranker task = Reranker.open(model, bert.tokenizer())) {
            List<TaskInput> pairs = List.of(TaskInput.of("is it", "the city"));
            double raw = task.score(pairs, RerankerOptions.defaults().withFunction(ScoreFunction.NONE),
                    TaskProgress.NONE).getFirst().score();
            if (function.endsWith("Tanh")) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> task.score(pairs, RerankerOptions.defaults(), TaskProgress.NONE))
                        .withMessageContaining("Tanh");
                return;
            }
            assertThat(task.score(pairs, RerankerOptions.defaults(), TaskProgress.NONE).getFirst().score())
                    .isEqualTo(function.endsWith("Identity") ? raw : 1 / (1 + StrictMath.exp(-raw)));
        }
    }
}
