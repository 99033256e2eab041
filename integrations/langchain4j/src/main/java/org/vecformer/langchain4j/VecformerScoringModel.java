package org.vecformer.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Ranked;
import org.vecformer.engine.task.Reranker;
import org.vecformer.engine.task.RerankerOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;

/**
 * Scores texts against a query with a BERT that was trained on pairs, a cross-encoder: see {@link Reranker}.
 *
 * <pre>{@code
 * try (Bert bert = Bert.load(Path.of("path/to/cross-encoder"));
 *         VecformerScoringModel model = VecformerScoringModel.builder().model(bert).build()) {
 *     double score = model.score("Paris is the capital of France.", "capital of France").content();
 * }
 * }</pre>
 *
 * Scores are those of {@link Reranker#score}, bit by bit. A response has the number of tokens that the model saw, and in
 * its metadata, by the name {@link #TRUNCATED}, for each segment whether it was too long with its query and was
 * shortened. A segment's own metadata have no part in its score.
 * <p>
 * Thread-safe: calls of several threads are computed one after the other, each by all threads of the engine. The
 * asynchronous calls are refused as LangChain4j does it for models that compute in the process, with an {@link
 * dev.langchain4j.exception.AsyncNotSupportedException} in the future, and so are all parameters that these could have.
 * <p>
 * Owns memory for its runs, which {@link #close} frees; the model belongs to the caller, who closes it afterwards.
 */
public final class VecformerScoringModel implements ScoringModel, AutoCloseable {

    /** The name of a list of {@link Boolean} in a response's metadata, one for each segment. */
    public static final String TRUNCATED = "truncated";

    private final Reranker reranker;
    private final RerankerOptions options;
    private final ReentrantLock turn = new ReentrantLock(true);

    private VecformerScoringModel(Reranker reranker, RerankerOptions options) {
        this.reranker = reranker;
        this.options = options;
    }

    /** Begins with {@link Builder#model}, which is needed. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The score of each segment, in their order. Blocks until they are there.
     *
     * @throws CancellationException                if the thread is interrupted; it stays so
     * @throws org.vecformer.engine.ClosedException if this or the model was closed
     */
    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        Objects.requireNonNull(query, "query");
        List<TaskInput> pairs = segments.stream().map(segment -> TaskInput.of(query, segment.text())).toList();
        List<Ranked> ranked = score(pairs);
        return Response.from(ranked.stream().map(Ranked::score).toList(),
                new TokenUsage(ranked.stream().mapToInt(Ranked::tokens).sum()), null,
                Map.of(TRUNCATED, ranked.stream().map(Ranked::truncated).toList()));
    }

    private List<Ranked> score(List<TaskInput> pairs) {
        try {
            turn.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted before its turn").initCause(e);
        }
        try {
            return reranker.score(pairs, options, TaskProgress.NONE);
        } finally {
            turn.unlock();
        }
    }

    /** Frees the memory of its runs; a call that runs on another thread ends. The model stays open. */
    @Override
    public void close() {
        reranker.close();
    }

    /** What a {@link VecformerScoringModel} is made of. */
    public static final class Builder {

        private Bert model;
        private RerankerOptions options = RerankerOptions.defaults();

        private Builder() {
        }

        /** What computes: a BERT with a sequence classifier, and a tokenizer beside its weights. */
        public Builder model(Bert model) {
            this.model = model;
            return this;
        }

        /** Which label's score it is, and what becomes of logits; unless given, {@link RerankerOptions#defaults}. */
        public Builder options(RerankerOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * @throws IllegalArgumentException if there is no model, it has no sequence classifier, or the options do not fit it
         * @throws UncheckedIOException     if its tokenizer cannot be read
         */
        public VecformerScoringModel build() {
            if (model == null) {
                throw new IllegalArgumentException("there is no model; expected a BERT with a sequence classifier");
            }
            Reranker reranker;
            try {
                reranker = Reranker.open(model, model.tokenizer());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                // Nothing to compute, but the options are checked: better now than with the first query.
                reranker.score(List.of(), options, TaskProgress.NONE);
                return new VecformerScoringModel(reranker, options);
            } catch (RuntimeException | Error e) {
                reranker.close();
                throw e;
            }
        }
    }
}
