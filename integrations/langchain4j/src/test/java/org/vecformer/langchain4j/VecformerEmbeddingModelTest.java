package org.vecformer.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.EmbeddingBatcherOptions;
import org.vecformer.engine.task.LongTexts;
import org.vecformer.engine.task.Pooling;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.engine.task.TextTooLongException;

/** What {@link EmbeddingModelContractTest} does not ask: the numbers, what is told beside them, threads, and whose what is. */
class VecformerEmbeddingModelTest {

    private static final List<String> TEXTS = List.of("the sky is blue.", "grass is green", "paris", "?",
            "the capital of france is paris, is the capital paris?");
    private static final String LONG = "the sky is blue ".repeat(20);

    private static Bert bert;

    @BeforeAll
    static void load(@TempDir Path directory) throws IOException {
        bert = Bert.load(TinyBert.write(directory.resolve("tiny-bert"), 0));
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    private static VecformerEmbeddingModel open(EmbedderOptions options) {
        return VecformerEmbeddingModel.builder().model(bert).options(options).build();
    }

    private static List<org.vecformer.engine.task.Embedding> expected(List<String> texts, EmbedderOptions options)
            throws IOException {
        try (Embedder embedder = Embedder.open(bert, bert.tokenizer())) {
            return embedder.embedAll(texts.stream().map(TaskInput::of).toList(), options, TaskProgress.NONE);
        }
    }

    private static EmbeddingRequest request(String... texts) {
        return EmbeddingRequest.builder().inputs(texts).build();
    }

    @Test
    void vectorsAndTokensAreTheEngines() throws IOException {
        EmbedderOptions options = EmbedderOptions.defaults().withPoolings(Pooling.CLS, Pooling.MAX).withNormalize(true)
                .withPrompt("hello ");
        List<org.vecformer.engine.task.Embedding> expected = expected(TEXTS, options);
        try (VecformerEmbeddingModel model = open(options)) {
            EmbeddingResponse response = model.embed(request(TEXTS.toArray(String[]::new)));
            assertThat(response.embeddings()).hasSameSizeAs(TEXTS);
            for (int i = 0; i < TEXTS.size(); i++) {
                assertThat(response.embeddings().get(i).vector()).isEqualTo(expected.get(i).vector());
            }
            int tokens = expected.stream().mapToInt(org.vecformer.engine.task.Embedding::tokens).sum();
            assertThat(response.tokenUsage()).isEqualTo(new TokenUsage(tokens));
        }
    }

    @Test
    void shorterWaysGiveTheSame() throws IOException {
        float[] expected = expected(TEXTS, EmbedderOptions.defaults()).getFirst().vector();
        try (VecformerEmbeddingModel model = open(null)) {
            TextSegment segment = TextSegment.from(TEXTS.getFirst());
            Response<Embedding> one = model.embed(TEXTS.getFirst());
            assertThat(one.content().vector()).isEqualTo(expected);
            // [CLS] the sky is blue . [SEP]
            assertThat(one.tokenUsage().inputTokenCount()).isEqualTo(7);
            assertThat(model.embed(segment).content().vector()).isEqualTo(expected);
            Response<List<Embedding>> two = model.embedAll(List.of(segment, segment));
            assertThat(two.content()).extracting(Embedding::vector).containsExactly(expected, expected);
            assertThat(two.tokenUsage().inputTokenCount()).isEqualTo(14);
            assertThat(model.embedAll(List.of()).content()).isEmpty();
        }
    }

    @Test
    void tellsWhatWasTooLong() {
        try (VecformerEmbeddingModel model = open(null)) {
            EmbeddingResponse response = model.embed(request("hello", LONG));
            assertThat(response.metadata()).isInstanceOfSatisfying(VecformerEmbeddingResponseMetadata.class,
                    metadata -> assertThat(metadata.truncated()).containsExactly(false, true));
            assertThat(response.tokenUsage().inputTokenCount()).isEqualTo(3 + TinyBert.CONTEXT);
        }
    }

    @Test
    void isMadeAsTheModelsFilesSay(@TempDir Path directory) throws IOException {
        TinyBert.write(directory, 0);
        Files.writeString(directory.resolve("modules.json"), """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                """);
        Files.createDirectories(directory.resolve("1_Pooling"));
        Files.writeString(directory.resolve("1_Pooling").resolve("config.json"), """
                {"word_embedding_dimension": 16, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}
                """);
        EmbedderOptions options = EmbedderOptions.defaults().withPoolings(Pooling.CLS).withNormalize(true);
        try (Bert own = Bert.load(directory);
                VecformerEmbeddingModel model = VecformerEmbeddingModel.builder().model(own).build()) {
            assertThat(model.embed("hello").content().vector())
                    .isEqualTo(expected(List.of("hello"), options).getFirst().vector());
        }
    }

    @Test
    void knowsItsDimensionAndName() {
        try (VecformerEmbeddingModel model = open(null);
                VecformerEmbeddingModel wide = VecformerEmbeddingModel.builder().model(bert).modelName("wide")
                        .options(EmbedderOptions.defaults().withPoolings(Pooling.CLS, Pooling.MEAN)).build()) {
            assertThat(model).isInstanceOf(DimensionAwareEmbeddingModel.class);
            assertThat(model.dimension()).isEqualTo(TinyBert.HIDDEN);
            assertThat(model.modelName()).isEqualTo("tiny-bert");
            assertThat(wide.dimension()).isEqualTo(2 * TinyBert.HIDDEN);
            assertThat(wide.embed(request("hello")).modelName()).isEqualTo("wide");
        }
    }

    @Test
    void refusesEveryParameter() {
        try (VecformerEmbeddingModel model = open(null)) {
            EmbeddingRequest otherModel = EmbeddingRequest.builder().input("hello")
                    .parameters(EmbeddingRequestParameters.builder().modelName("other").build()).build();
            assertThatThrownBy(() -> model.embed(otherModel)).isInstanceOf(UnsupportedFeatureException.class)
                    .hasMessageContaining("modelName");
        }
    }

    @Test
    void manyThreadsGetTheirOwn() throws Exception {
        List<String> texts = IntStream.range(0, 64).mapToObj(i -> "the sky is blue. ".repeat(i % 7) + TEXTS.get(i % 5))
                .toList();
        List<org.vecformer.engine.task.Embedding> expected = expected(texts, EmbedderOptions.defaults());
        try (VecformerEmbeddingModel model = open(null)) {
            List<List<float[]>> vectors = Together.run(16, thread -> IntStream.range(0, texts.size())
                    .mapToObj(i -> model.embed(texts.get((i + 4 * thread) % texts.size())).content().vector())
                    .toList());
            for (int thread = 0; thread < vectors.size(); thread++) {
                for (int i = 0; i < texts.size(); i++) {
                    assertThat(vectors.get(thread).get(i))
                            .isEqualTo(expected.get((i + 4 * thread) % texts.size()).vector());
                }
            }
        }
    }

    @Test
    void anAsynchronousCallGivesTheSame() throws Exception {
        EmbeddingRequest request = request(TEXTS.toArray(String[]::new));
        try (VecformerEmbeddingModel model = open(null)) {
            assertThat(model.embedAsync(request).get(1, TimeUnit.MINUTES)).isEqualTo(model.embed(request));
            EmbeddingRequest dimensions = EmbeddingRequest.builder().input("hello").dimensions(4).build();
            assertThat(failure(model.embedAsync(dimensions))).isInstanceOf(UnsupportedFeatureException.class);
        }
    }

    @Test
    void cancellingAnAsynchronousCallEndsItsWork() throws Exception {
        String[] texts = Collections.nCopies(20_000, LONG).toArray(String[]::new);
        // Runs of one text each, so that there is time to cancel.
        try (VecformerEmbeddingModel model = VecformerEmbeddingModel.builder().model(bert).batching(
                EmbeddingBatcherOptions.defaults().withMaxBatchTokens(TinyBert.CONTEXT).withMaxQueuedTokens(1 << 24))
                .build()) {
            CompletableFuture<EmbeddingResponse> call = model.embedAsync(request(texts));
            assertThat(call.cancel(false)).isTrue();
            while (model.load().queuedTokens() > 0) {
                Thread.sleep(1);
            }
            // Runs behind all that ran: then those have been counted.
            model.embed("hello");
            assertThat(model.load().sequences()).isLessThan(texts.length);
        }
    }

    @Test
    void aFullQueueIsARateLimit() {
        EmbeddingBatcherOptions batching = EmbeddingBatcherOptions.defaults().withMaxBatchTokens(1)
                .withMaxQueuedTokens(2 * TinyBert.CONTEXT);
        try (VecformerEmbeddingModel model = VecformerEmbeddingModel.builder().model(bert).batching(batching).build()) {
            List<CompletableFuture<EmbeddingResponse>> calls = new ArrayList<>();
            do {
                calls.add(model.embedAsync(request(LONG)));
            } while (!calls.getLast().isCompletedExceptionally());
            assertThatThrownBy(calls.removeLast()::join).hasCauseInstanceOf(RateLimitException.class);
            assertThat(calls).allSatisfy(call -> assertThat(call.join().embeddings()).hasSize(1));
            assertThatThrownBy(() -> model.embed(request(LONG, LONG, LONG)))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("64");
        }
    }

    private static Throwable failure(CompletableFuture<?> future) throws Exception {
        try {
            throw new AssertionError("there is no failure, but " + future.get(1, TimeUnit.MINUTES));
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }

    @Test
    void longTextsAreSplitOrRefusedIfTheOptionsSaySo() throws Exception {
        EmbedderOptions split = EmbedderOptions.defaults().withLongTexts(LongTexts.SPLIT);
        org.vecformer.engine.task.Embedding expected = expected(List.of(LONG), split).getFirst();
        try (VecformerEmbeddingModel model = open(split)) {
            EmbeddingResponse response = model.embed(request(LONG));
            assertThat(response.embeddings().getFirst().vector()).isEqualTo(expected.vector());
            assertThat(response.tokenUsage().inputTokenCount()).isEqualTo(expected.tokens())
                    .isGreaterThan(TinyBert.CONTEXT);
            assertThat(response.metadata()).isInstanceOfSatisfying(VecformerEmbeddingResponseMetadata.class,
                    metadata -> assertThat(metadata.truncated()).containsExactly(false));
        }
        try (VecformerEmbeddingModel model = open(EmbedderOptions.defaults().withLongTexts(LongTexts.REFUSE))) {
            assertThatThrownBy(() -> model.embed(LONG)).isInstanceOf(InvalidRequestException.class)
                    .hasCauseInstanceOf(TextTooLongException.class);
            assertThat(failure(model.embedAsync(request(LONG)))).isInstanceOf(InvalidRequestException.class);
            assertThat(model.embed("hello").content().dimension()).isEqualTo(TinyBert.HIDDEN);
        }
    }

    @Test
    void anInterruptedThreadIsToldSo() {
        try (VecformerEmbeddingModel model = open(null)) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> model.embed("paris")).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void closingLeavesTheModelToItsOwner() throws Exception {
        VecformerEmbeddingModel model = open(null);
        model.close();
        model.close();
        assertThatThrownBy(() -> model.embed("hello")).isInstanceOf(ClosedException.class);
        assertThat(failure(model.embedAsync(request("hello")))).isInstanceOf(ClosedException.class);
        assertThat(bert.isClosed()).isFalse();
        assertThat(expected(List.of("hello"), EmbedderOptions.defaults())).hasSize(1);
    }

    @Test
    void refusesWhatCannotWork(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> VecformerEmbeddingModel.builder().build())
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("model");
        assertThatThrownBy(() -> open(EmbedderOptions.defaults().withMaxLength(TinyBert.CONTEXT + 1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("33");
        Files.delete(TinyBert.write(directory, 0).resolve("vocab.txt"));
        try (Bert speechless = Bert.load(directory)) {
            assertThatThrownBy(() -> VecformerEmbeddingModel.builder().model(speechless).build())
                    .isInstanceOf(UncheckedIOException.class).hasMessageContaining("vocab");
        }
    }
}
