package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Ranks documents by how well they go with a query, with a BERT that scores pairs: a cross-encoder (Nogueira and Cho
 * 2019, "Passage Re-ranking with BERT"). Scores are those of sentence-transformers' {@code CrossEncoder}.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="rank"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class Reranker extends EncoderTask {

    private Reranker(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.SEQUENCE_CLASSIFIER), tokenizer, options);
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static Reranker open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's
     * @throws IllegalArgumentException if the model has no sequence classifier
     */
    public static Reranker open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static Reranker open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new Reranker(model, tokenizer, options);
    }

    /** The documents by descending score, equal ones in their order. */
    public List<Ranked> rank(String query, List<String> documents, RerankerOptions options, TaskProgress progress) {
        return rank(query, documents, options, progress, new Cancellation());
    }

    /** As {@link #rank(String, List, RerankerOptions, TaskProgress)}, which the cancellation may end. */
    public List<Ranked> rank(String query, List<String> documents, RerankerOptions options, TaskProgress progress,
            Cancellation cancellation) {
        List<Ranked> ranked = new ArrayList<>(score(
                documents.stream().map(document -> TaskInput.of(query, document)).toList(), options, progress,
                cancellation));
        ranked.sort(Comparator.comparingDouble(Ranked::score).reversed());
        return ranked;
    }

    /**
     * The scores of pairs, in their order.
     *
     * @throws IllegalArgumentException                   if the model has several labels and none was chosen, or not
     *                                                    the one that was
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Ranked> score(List<TaskInput> pairs, RerankerOptions options, TaskProgress progress) {
        return score(pairs, options, progress, new Cancellation());
    }

    /** As {@link #score(List, RerankerOptions, TaskProgress)}, which the cancellation may end. */
    public List<Ranked> score(List<TaskInput> pairs, RerankerOptions options, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(options.maxLength());
            int label = label(options);
            ScoreFunction function = function(options);
            List<BatchRunner.Job> jobs = new ArrayList<>();
            boolean[] truncated = new boolean[pairs.size()];
            for (int i = 0; i < pairs.size(); i++) {
                call.check();
                InputEncoder.Encoded encoded = encoder.truncated(pairs.get(i), limit);
                truncated[i] = encoded.truncated();
                jobs.add(new BatchRunner.Job(i, encoded.input()));
            }
            Ranked[] results = new Ranked[pairs.size()];
            float[] logits = new float[model.outputs(Head.SEQUENCE_CLASSIFIER)];
            runner.run(call, jobs, pairs.size(), progress, (session, sequence, job) -> {
                session.scores(sequence, logits);
                int tokens = jobs.get(job).input().attentionMask().length;
                results[job] = new Ranked(job, function.apply(logits)[label], tokens, truncated[job]);
            });
            return List.of(results);
        }
    }

    private int label(RerankerOptions options) {
        int labels = model.outputs(Head.SEQUENCE_CLASSIFIER);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < labels; i++) {
            names.add(label(i));
        }
        if (options.label().isEmpty()) {
            if (labels == 1) {
                return 0;
            }
            throw new IllegalArgumentException("the model has " + labels
                    + " labels; say whose score ranks the documents: " + String.join(", ", names));
        }
        int index = names.indexOf(options.label().get());
        if (index < 0) {
            throw new IllegalArgumentException("the model has no label \"" + options.label().get() + "\"; it has "
                    + String.join(", ", names));
        }
        return index;
    }

    private ScoreFunction function(RerankerOptions options) {
        if (options.function() != ScoreFunction.AUTO) {
            return options.function();
        }
        if (model.config().crossEncoderActivation().isEmpty()) {
            return model.outputs(Head.SEQUENCE_CLASSIFIER) == 1 ? ScoreFunction.SIGMOID : ScoreFunction.SOFTMAX;
        }
        String name = model.config().crossEncoderActivation().get();
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "Identity" -> ScoreFunction.NONE;
            case "Sigmoid" -> ScoreFunction.SIGMOID;
            case "Softmax" -> ScoreFunction.SOFTMAX;
            default -> throw new IllegalArgumentException("the model's config has the score function \"" + name
                    + "\", which is not supported: choose one");
        };
    }
}
