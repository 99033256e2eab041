package org.vecformer.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.AsyncNotSupportedException;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.request.ScoringRequest;
import dev.langchain4j.model.scoring.request.ScoringRequestParameters;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Ranked;
import org.vecformer.engine.task.Reranker;
import org.vecformer.engine.task.RerankerOptions;
import org.vecformer.engine.task.ScoreFunction;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.tokenizer.EncodingOptions;

/**
 * The contract of {@link dev.langchain4j.model.scoring.ScoringModel} as its javadoc has it, for langchain4j-core ships no
 * tests of it to extend, only those of its default methods; and that the numbers are the engine's.
 */
class VecformerScoringModelTest {

    private static final String QUERY = "the capital of france";
    private static final List<String> TEXTS = List.of("paris is the capital of france.", "the sky is blue", ".",
            "paris?",
            "the sky is blue");

    private static Bert bert;
    private static Bert twoLabels;

    @BeforeAll
    static void load(@TempDir Path directory) throws IOException {
        bert = Bert.load(TinyBert.write(directory.resolve("one"), 1));
        twoLabels = Bert.load(bert.engine(), TinyBert.write(directory.resolve("two"), 2));
    }

    @AfterAll
    static void close() {
        twoLabels.close();
        bert.close();
    }

    private static VecformerScoringModel open() {
        return VecformerScoringModel.builder().model(bert).build();
    }

    private static List<TextSegment> segments(List<String> texts) {
        return texts.stream().map(TextSegment::from).toList();
    }

    private static List<Ranked> expected(Bert model, List<String> texts, RerankerOptions options) throws IOException {
        try (Reranker reranker = Reranker.open(model, model.tokenizer())) {
            return reranker.score(texts.stream().map(text -> TaskInput.of(QUERY, text)).toList(), options,
                    TaskProgress.NONE);
        }
    }

    @Test
    void scoresAreTheEnginesInTheOrderOfTheSegments() throws IOException {
        List<Double> expected = expected(bert, TEXTS, RerankerOptions.defaults()).stream().map(Ranked::score).toList();
        try (VecformerScoringModel model = open()) {
            Response<List<Double>> response = model.scoreAll(segments(TEXTS), QUERY);
            assertThat(response.content()).isEqualTo(expected);
            assertThat(expected.stream().distinct()).hasSize(TEXTS.size() - 1);
            assertThat(response.finishReason()).isNull();
            for (int i = 0; i < TEXTS.size(); i++) {
                TextSegment segment = TextSegment.from(TEXTS.get(i));
                assertThat(model.score(segment, QUERY).content()).isEqualTo(expected.get(i));
                assertThat(model.score(segment.text(), QUERY).content()).isEqualTo(expected.get(i));
            }
            assertThat(model.scoreAll(List.of(), QUERY).content()).isEmpty();
        }
    }

    @Test
    void optionsCount() throws IOException {
        RerankerOptions options = RerankerOptions.defaults().withLabel("yes").withFunction(ScoreFunction.NONE);
        try (VecformerScoringModel model = VecformerScoringModel.builder().model(twoLabels).options(options).build()) {
            assertThat(model.scoreAll(segments(TEXTS), QUERY).content())
                    .isEqualTo(expected(twoLabels, TEXTS, options).stream().map(Ranked::score).toList())
                    .isNotEqualTo(
                            expected(twoLabels, TEXTS, options.withLabel("no")).stream().map(Ranked::score).toList());
        }
    }

    @Test
    void tellsTokensAndWhatWasTooLong() throws IOException {
        List<String> texts = List.of("the sky is blue", "the sky is blue ".repeat(20));
        int shortOne = bert.tokenizer().encode(QUERY, texts.getFirst(), EncodingOptions.defaults()).size();
        try (VecformerScoringModel model = open()) {
            Response<List<Double>> response = model.scoreAll(segments(texts), QUERY);
            assertThat(response.tokenUsage()).isEqualTo(new TokenUsage(shortOne + TinyBert.CONTEXT));
            assertThat(response.metadata()).containsExactly(entry(VecformerScoringModel.TRUNCATED,
                    List.of(false, true)));
        }
    }

    @Test
    void refusesAsynchronousCallsAndTheirParameters() {
        ScoringRequest request = ScoringRequest.builder().documents(TEXTS).query(QUERY)
                .parameters(ScoringRequestParameters.builder().modelName("other").build()).build();
        try (VecformerScoringModel model = open()) {
            assertThat(model.scoreAsync(request)).failsWithin(Duration.ZERO)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(AsyncNotSupportedException.class);
        }
    }

    @Test
    void manyThreadsGetTheirOwn() throws Exception {
        List<Ranked> expected = expected(bert, TEXTS, RerankerOptions.defaults());
        try (VecformerScoringModel model = open()) {
            List<List<Double>> scores = Together.run(16, thread -> IntStream.range(0, 20)
                    .mapToObj(i -> model.score(TEXTS.get((thread + i) % TEXTS.size()), QUERY).content()).toList());
            for (int thread = 0; thread < scores.size(); thread++) {
                for (int i = 0; i < 20; i++) {
                    assertThat(scores.get(thread).get(i)).isEqualTo(expected.get((thread + i) % TEXTS.size()).score());
                }
            }
        }
    }

    @Test
    void anInterruptedThreadIsToldSo() {
        try (VecformerScoringModel model = open()) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> model.score("paris", QUERY)).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(model.score("paris", QUERY).content()).isFinite();
        }
    }

    @Test
    void closingLeavesTheModelToItsOwner() {
        VecformerScoringModel model = open();
        model.close();
        model.close();
        assertThatThrownBy(() -> model.score("paris", QUERY)).isInstanceOf(IllegalStateException.class);
        assertThat(bert.isClosed()).isFalse();
    }

    @Test
    void refusesWhatCannotWork(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> VecformerScoringModel.builder().build()).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("model");
        assertThatThrownBy(() -> VecformerScoringModel.builder().model(twoLabels).build())
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no, yes");
        try (Bert headless = Bert.load(bert.engine(), TinyBert.write(directory, 0))) {
            assertThatThrownBy(() -> VecformerScoringModel.builder().model(headless).build())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("classifier");
        }
    }
}
