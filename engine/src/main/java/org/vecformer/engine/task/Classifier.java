package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.loader.BertConfig.ProblemType;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Classifies texts and pairs with a BERT that has a sequence classifier. Scores are those of Hugging Face's
 * text-classification pipeline.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="classify"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several classifiers share a model.
 */
public final class Classifier extends EncoderTask {

    private Classifier(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.SEQUENCE_CLASSIFIER), tokenizer, options);
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static Classifier open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws IllegalArgumentException if the model has no sequence classifier
     */
    public static Classifier open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static Classifier open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new Classifier(model, tokenizer, options);
    }

    /** Classifies one input. */
    public Classification classify(TaskInput input, ClassifierOptions options) {
        return classifyAll(List.of(input), options, TaskProgress.NONE).getFirst();
    }

    /** As {@link #classify(TaskInput, ClassifierOptions)}, which the cancellation may end. */
    public Classification classify(TaskInput input, ClassifierOptions options, Cancellation cancellation) {
        return classifyAll(List.of(input), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * Classifies many inputs; the results are in their order.
     *
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Classification> classifyAll(List<TaskInput> inputs, ClassifierOptions options,
            TaskProgress progress) {
        return classifyAll(inputs, options, progress, new Cancellation());
    }

    /** As {@link #classifyAll(List, ClassifierOptions, TaskProgress)}, which the cancellation may end. */
    public List<Classification> classifyAll(List<TaskInput> inputs, ClassifierOptions options,
            TaskProgress progress, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(options.maxLength());
            ScoreFunction function = resolve(options.function());
            List<BatchRunner.Job> jobs = new ArrayList<>();
            boolean[] truncated = new boolean[inputs.size()];
            for (int i = 0; i < inputs.size(); i++) {
                call.check();
                InputEncoder.Encoded encoded = encoder.truncated(inputs.get(i), limit);
                truncated[i] = encoded.truncated();
                jobs.add(new BatchRunner.Job(i, encoded.input()));
            }
            Classification[] results = new Classification[inputs.size()];
            float[] logits = new float[model.outputs(Head.SEQUENCE_CLASSIFIER)];
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                session.scores(sequence, logits);
                results[job] = new Classification(best(function.apply(logits), options.topK()), truncated[job]);
            });
            return List.of(results);
        }
    }

    private ScoreFunction resolve(ScoreFunction function) {
        if (function != ScoreFunction.AUTO) {
            return function;
        }
        ProblemType type = model.config().problemType().orElse(null);
        if (type == ProblemType.REGRESSION) {
            return ScoreFunction.NONE;
        }
        return type == ProblemType.MULTI_LABEL || model.outputs(Head.SEQUENCE_CLASSIFIER) == 1
                ? ScoreFunction.SIGMOID
                : ScoreFunction.SOFTMAX;
    }

    private List<LabelScore> best(double[] scores, int topK) {
        return IntStream.range(0, scores.length)
                .mapToObj(i -> new LabelScore(i, label(i), scores[i]))
                .sorted(Comparator.comparingDouble(LabelScore::score).reversed())
                .limit(topK == 0 ? scores.length : topK).toList();
    }

    /** The names of the labels, in the order of the model's outputs. */
    public List<String> labels() {
        String[] labels = new String[model.outputs(Head.SEQUENCE_CLASSIFIER)];
        Arrays.setAll(labels, i -> label(i));
        return List.of(labels);
    }
}
