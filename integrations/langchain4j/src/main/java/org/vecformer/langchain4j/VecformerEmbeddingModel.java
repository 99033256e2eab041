package org.vecformer.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.EmbeddingBatcherOptions;
import org.vecformer.engine.task.EmbeddingLoad;
import org.vecformer.engine.task.TaskInput;

/**
 * Makes vectors of texts with a BERT, for many threads at once: see {@link EmbeddingBatcher}.
 *
 * <pre>{@code
 * try (Bert bert = Bert.load(Path.of("path/to/all-MiniLM-L6-v2"));
 *         VecformerEmbeddingModel model = VecformerEmbeddingModel.builder().model(bert).build()) {
 *     Embedding embedding = model.embed("A man is eating food.").content();
 * }
 * }</pre>
 *
 * Vectors are those of {@link Embedder#embed}, bit by bit. {@link #embed(EmbeddingRequest)} tells, beside the number of
 * tokens that the model saw, which texts were too long: its metadata are {@link VecformerEmbeddingResponseMetadata}.
 * <p>
 * Requests with parameters (another model, fewer dimensions, query or document) or with contents that are no text are
 * refused with LangChain4j's {@link dev.langchain4j.exception.UnsupportedFeatureException}. Where queries and documents
 * have prompts of their own, there are two of these on one model, each with its {@link EmbedderOptions#prompt}.
 * <p>
 * Thread-safe: what many threads ask for is computed together, and the asynchronous calls block nobody. Owns a thread
 * and memory for its runs, which {@link #close} ends and frees; the model belongs to the caller, who closes it afterwards.
 */
public final class VecformerEmbeddingModel extends DimensionAwareEmbeddingModel implements AutoCloseable {

    /** 16 Mi: a store of documents is often embedded with one call, which has all of its tokens in the queue. */
    private static final int DEFAULT_QUEUE = 1 << 24;

    private final EmbeddingBatcher batcher;
    private final EmbedderOptions options;
    private final String modelName;
    private final List<EmbeddingModelListener> listeners;

    private VecformerEmbeddingModel(EmbeddingBatcher batcher, EmbedderOptions options, String name,
            List<EmbeddingModelListener> listeners) {
        this.batcher = batcher;
        this.options = options;
        modelName = name;
        this.listeners = listeners;
        dimension = batcher.dimensions(options);
    }

    /** Begins with {@link Builder#model}, which is needed. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * What {@link #embed(EmbeddingRequest)} calls with a request that it has checked. Blocks until the vectors are there.
     *
     * @throws RateLimitException                          if too much waits already; later there may be room
     * @throws IllegalArgumentException                    if the texts have more tokens than may wait at all
     * @throws InvalidRequestException                     if a text is too long and the options refuse that
     * @throws java.util.concurrent.CancellationException  if the thread is interrupted; it stays so
     * @throws org.vecformer.engine.ClosedException        if this or the model was closed
     */
    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        try {
            return response(batcher.embedAll(inputs(request), options));
        } catch (RuntimeException e) {
            throw Failures.named(e);
        }
    }

    /**
     * What {@link #embedAsync} calls with a request that it has checked. No thread waits for the vectors; cancelling the
     * future ends the work. It fails as {@link #doEmbed} does.
     */
    @Override
    public CompletableFuture<EmbeddingResponse> doEmbedAsync(EmbeddingRequest request) {
        try {
            CompletableFuture<List<org.vecformer.engine.task.Embedding>> results = batcher.submitAll(inputs(request),
                    options, new Cancellation());
            CompletableFuture<EmbeddingResponse> response = results.thenApply(this::response);
            response.whenComplete((_, _) -> results.cancel(false));
            return response;
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(Failures.named(e));
        }
    }

    private static List<TaskInput> inputs(EmbeddingRequest request) {
        return request.inputs().stream().map(input -> TaskInput.of(input.text())).toList();
    }

    private EmbeddingResponse response(List<org.vecformer.engine.task.Embedding> results) {
        return EmbeddingResponse.builder()
                .embeddings(results.stream().map(result -> Embedding.from(result.vector())).toList())
                .metadata(new VecformerEmbeddingResponseMetadata(EmbeddingResponseMetadata.builder()
                        .modelName(modelName)
                        .tokenUsage(new TokenUsage(
                                results.stream().mapToInt(org.vecformer.engine.task.Embedding::tokens).sum())),
                        results.stream().map(org.vecformer.engine.task.Embedding::truncated).toList()))
                .build();
    }

    /** What waits at this moment, and what was done until now: for metrics. */
    public EmbeddingLoad load() {
        return batcher.load();
    }

    @Override
    public List<EmbeddingModelListener> listeners() {
        return listeners;
    }

    @Override
    public String modelName() {
        return modelName;
    }

    /** Ends the calls that run, and frees the memory of their runs. The model stays open. A second call does nothing. */
    @Override
    public void close() {
        batcher.close();
    }

    /** What a {@link VecformerEmbeddingModel} is made of. */
    public static final class Builder {

        private Bert model;
        private EmbedderOptions options;
        private EmbeddingBatcherOptions batching = EmbeddingBatcherOptions.defaults()
                .withMaxQueuedTokens(DEFAULT_QUEUE);
        private String modelName;
        private List<EmbeddingModelListener> listeners = List.of();

        private Builder() {
        }

        /** What computes: a BERT with a tokenizer beside its weights. */
        public Builder model(Bert model) {
            this.model = model;
            return this;
        }

        /** How vectors are made; unless given, as the model's own files say: {@link EmbedderOptions#of(Bert)}. */
        public Builder options(EmbedderOptions options) {
            this.options = options;
            return this;
        }

        /**
         * How much is computed at once, and how much may wait; unless given, {@link EmbeddingBatcherOptions#defaults} with
         * a queue of 16 Mi tokens, as one call may bring a whole store of documents. A server that answers questions has
         * them wait for less.
         */
        public Builder batching(EmbeddingBatcherOptions batching) {
            this.batching = Objects.requireNonNull(batching, "batching");
            return this;
        }

        /** What {@link EmbeddingResponse#modelName} is; unless given, the name of the model's folder. */
        public Builder modelName(String modelName) {
            this.modelName = modelName;
            return this;
        }

        /** Those who are told of each call. */
        public Builder listeners(List<EmbeddingModelListener> listeners) {
            this.listeners = List.copyOf(listeners);
            return this;
        }

        /**
         * @throws IllegalArgumentException if there is no model, or the options do not fit it
         * @throws UncheckedIOException     if its tokenizer, or what it says of its vectors, cannot be read
         */
        public VecformerEmbeddingModel build() {
            if (model == null) {
                throw new IllegalArgumentException("there is no model; expected a BERT");
            }
            EmbeddingBatcher batcher;
            EmbedderOptions chosen;
            try {
                chosen = options != null ? options : EmbedderOptions.of(model);
                batcher = EmbeddingBatcher.open(model, model.tokenizer(), batching);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                // Nothing to compute, but the options are checked: better now than with the first text.
                batcher.embedAll(List.of(), chosen);
                return new VecformerEmbeddingModel(batcher, chosen,
                        modelName != null ? modelName : model.files().directory().getFileName().toString(), listeners);
            } catch (RuntimeException | Error e) {
                batcher.close();
                throw e;
            }
        }
    }
}
