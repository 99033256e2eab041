package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Makes vectors of texts, such that texts of similar meaning have similar vectors if the model was trained for that
 * (Reimers and Gurevych 2019, "Sentence-BERT").
 *
 * <pre>{@code
 * EmbedderOptions options = EmbedderOptions.of(SentenceConfig.read(files.directory()));
 * try (Embedder embedder = Embedder.open(model, tokenizer)) {
 *     float[] vector = embedder.embed(TaskInput.of("A man is eating food."), options).vector();
 * }
 * }</pre>
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class Embedder extends EncoderTask {

    private Embedder(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(model, tokenizer, options);
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     */
    public static Embedder open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static Embedder open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new Embedder(model, tokenizer, options);
    }

    /** How many numbers the vectors have. */
    public int dimensions(EmbedderOptions options) {
        return options.layers().isEmpty()
                ? model.config().hiddenSize() * options.poolings().size()
                : options.layers().getLast().outputs();
    }

    /** The vector of one input. */
    public Embedding embed(TaskInput input, EmbedderOptions options) {
        return embedAll(List.of(input), options, TaskProgress.NONE).getFirst();
    }

    /**
     * The vectors of many inputs, in their order.
     *
     * @throws IllegalArgumentException                   if the model has no pooler and that is wanted, or a layer's
     *                                                    width does not fit
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Embedding> embedAll(List<TaskInput> inputs, EmbedderOptions options, TaskProgress progress) {
        try (Call call = calls.begin(new Cancellation())) {
            check(options);
            int limit = encoder.limit(options.maxLength());
            // The first special token goes with the prompt, the last one stands behind the text.
            int skipped = options.includePrompt() || options.prompt().isEmpty()
                    ? 0
                    : encoder.required().ids(prepared(options.prompt(), options)).length - 1;
            List<BatchRunner.Job> jobs = new ArrayList<>();
            boolean[] truncated = new boolean[inputs.size()];
            for (int i = 0; i < inputs.size(); i++) {
                InputEncoder.Encoded encoded = encoder.truncated(prompted(inputs.get(i), options), limit);
                truncated[i] = encoded.truncated();
                jobs.add(new BatchRunner.Job(i, encoded.input()));
            }
            Embedding[] results = new Embedding[inputs.size()];
            StatePooling pooling = new StatePooling(model.config().hiddenSize(), options.poolings());
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                int[] mask = jobs.get(job).input().attentionMask();
                float[] vector = pool(session, sequence, mask, skipped, pooling, options);
                for (DenseLayer layer : options.layers()) {
                    vector = layer.apply(vector);
                }
                if (options.normalize()) {
                    StatePooling.normalize(vector);
                }
                results[job] = new Embedding(vector, mask.length, truncated[job]);
            });
            return List.of(results);
        }
    }

    private void check(EmbedderOptions options) {
        if (options.poolings().contains(Pooling.POOLER) && !model.hasPooler()) {
            throw new IllegalArgumentException("the model has no pooler (tensor pooler.dense.weight)");
        }
        int width = model.config().hiddenSize() * options.poolings().size();
        for (DenseLayer layer : options.layers()) {
            if (layer.inputs() != width) {
                throw new IllegalArgumentException("a dense layer takes vectors of " + layer.inputs()
                        + " numbers; what comes before it gives " + width);
            }
            width = layer.outputs();
        }
    }

    private static TaskInput prompted(TaskInput input, EmbedderOptions options) {
        if (input.ids() == null) {
            return TaskInput.of(prepared(options.prompt() + input.text(), options),
                    input.pair() == null ? null : prepared(input.pair(), options));
        }
        if (!options.prompt().isEmpty()) {
            throw new IllegalArgumentException("a prompt goes before a text; the input is token ids");
        }
        return input;
    }

    private static String prepared(String text, EmbedderOptions options) {
        return options.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
    }

    private float[] pool(EncoderSession session, int sequence, int[] mask, int skipped, StatePooling pooling,
            EmbedderOptions options) {
        pooling.clear();
        int hidden = model.config().hiddenSize();
        float[] state = new float[hidden];
        if (pooling.needsStates()) {
            for (int i = 0; i < mask.length; i++) {
                session.hidden(sequence, i, state);
                pooling.add(i, state, mask[i] == 1 && i >= skipped);
            }
            if (pooling.isEmpty()) {
                throw new IllegalArgumentException("the text has no tokens behind its prompt");
            }
        }
        float[] pooler = null;
        if (options.poolings().contains(Pooling.POOLER)) {
            session.pooled(sequence, state);
            pooler = state;
        }
        return pooling.vector(pooler);
    }
}
