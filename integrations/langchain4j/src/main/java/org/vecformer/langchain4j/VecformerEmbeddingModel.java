package org.vecformer.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
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
import java.util.concurrent.locks.ReentrantLock;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.loader.SentenceConfig;

/**
 * Makes vectors of texts with a BERT: see {@link Embedder}.
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
 * Owns memory for its runs, which {@link #close} frees; the model belongs to the caller, who closes it afterwards.
 */
public final class VecformerEmbeddingModel extends DimensionAwareEmbeddingModel implements AutoCloseable {

    private final Embedder embedder;
    private final EmbedderOptions options;
    private final String modelName;
    private final List<EmbeddingModelListener> listeners;
    private final ReentrantLock turn = new ReentrantLock(true);

    private VecformerEmbeddingModel(Embedder embedder, EmbedderOptions options, String name,
            List<EmbeddingModelListener> listeners) {
        this.embedder = embedder;
        this.options = options;
        modelName = name;
        this.listeners = listeners;
        dimension = embedder.dimensions(options);
    }

    /** Begins with {@link Builder#model}, which is needed. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        List<TaskInput> inputs = request.inputs().stream().map(input -> TaskInput.of(input.text())).toList();
        List<org.vecformer.engine.task.Embedding> results;
        turn.lock();
        try {
            results = embedder.embedAll(inputs, options, TaskProgress.NONE);
        } finally {
            turn.unlock();
        }
        return EmbeddingResponse.builder()
                .embeddings(results.stream().map(result -> Embedding.from(result.vector())).toList())
                .metadata(new VecformerEmbeddingResponseMetadata(EmbeddingResponseMetadata.builder()
                        .modelName(modelName)
                        .tokenUsage(new TokenUsage(
                                results.stream().mapToInt(org.vecformer.engine.task.Embedding::tokens).sum())),
                        results.stream().map(org.vecformer.engine.task.Embedding::truncated).toList()))
                .build();
    }

    @Override
    public List<EmbeddingModelListener> listeners() {
        return listeners;
    }

    @Override
    public String modelName() {
        return modelName;
    }

    /** Frees the memory of its runs; a call that runs on another thread ends. The model stays open. */
    @Override
    public void close() {
        embedder.close();
    }

    /** What a {@link VecformerEmbeddingModel} is made of. */
    public static final class Builder {

        private Bert model;
        private EmbedderOptions options;
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
            Embedder embedder;
            EmbedderOptions chosen;
            try {
                embedder = Embedder.open(model, model.tokenizer());
                chosen = options != null
                        ? options
                        : EmbedderOptions.of(SentenceConfig.read(model.files().directory()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                // Nothing to compute, but the options are checked: better now than with the first text.
                embedder.embedAll(List.of(), chosen, TaskProgress.NONE);
                return new VecformerEmbeddingModel(embedder, chosen,
                        modelName != null ? modelName : model.files().directory().getFileName().toString(), listeners);
            } catch (RuntimeException | Error e) {
                embedder.close();
                throw e;
            }
        }
    }
}
