package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Makes vectors of texts, such that texts of similar meaning have similar vectors if the model was trained for that
 * (Reimers and Gurevych 2019, "Sentence-BERT").
 *
 * {@snippet file="org/vecformer/engine/snippets/EmbeddingSnippetsTest.java" region="embedder"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model. For many
 * threads at once there is {@link EmbeddingBatcher}.
 */
public final class Embedder extends EncoderTask {

    private Embedder(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(model, tokenizer, options);
    }

    /**
     * With the model's tokenizer.
     *
     * @throws IOException if the tokenizer's files cannot be read
     */
    public static Embedder open(Bert model) throws IOException {
        return open(model, model.tokenizer());
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
        return EmbeddingRecipe.dimensions(model, options);
    }

    /** The vector of one input. */
    public Embedding embed(TaskInput input, EmbedderOptions options) {
        return embedAll(List.of(input), options, TaskProgress.NONE).getFirst();
    }

    /** As {@link #embed(TaskInput, EmbedderOptions)}, which the cancellation may end. */
    public Embedding embed(TaskInput input, EmbedderOptions options, Cancellation cancellation) {
        return embedAll(List.of(input), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * The vectors of many inputs, in their order.
     *
     * @throws TextTooLongException                       if a text is too long, and the options say that this is to be
     *                                                    refused; nothing has been computed then
     * @throws IllegalArgumentException                   if the model has no pooler and that is wanted, or a layer's
     *                                                    width does not fit
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Embedding> embedAll(List<TaskInput> inputs, EmbedderOptions options, TaskProgress progress) {
        return embedAll(inputs, options, progress, new Cancellation());
    }

    /** As {@link #embedAll(List, EmbedderOptions, TaskProgress)}, which the cancellation may end. */
    public List<Embedding> embedAll(List<TaskInput> inputs, EmbedderOptions options, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            List<EmbeddingInput> all = new EmbeddingRecipe(model, encoder, options).inputs(inputs, call::check);
            List<BatchRunner.Job> jobs = new ArrayList<>();
            int[] firstJob = new int[all.size()];
            for (int i = 0; i < firstJob.length; i++) {
                firstJob[i] = jobs.size();
                for (EncoderInput window : all.get(i).windows()) {
                    jobs.add(new BatchRunner.Job(i, window));
                }
            }
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                int owner = jobs.get(job).owner();
                all.get(owner).read(session, sequence, job - firstJob[owner]);
            });
            return all.stream().map(EmbeddingInput::embedding).toList();
        }
    }
}
