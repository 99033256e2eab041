package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Tells whether one text follows another, with a BERT that has the next-sentence head of its pre-training (Devlin et
 * al. 2018, section 3.1).
 * <p>
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class NextSentence extends EncoderTask {

    private NextSentence(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.NEXT_SENTENCE), tokenizer, options);
    }

    /**
     * How likely the second text follows the first one.
     *
     * @param probability softmax of the two logits
     * @param isNext      logit of "it follows"
     * @param isRandom    logit of "it is another text's"
     * @param truncated   whether the pair was longer than the model could take
     */
    public record Score(double probability, double isNext, double isRandom, boolean truncated) {}

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static NextSentence open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws IllegalArgumentException if the model has no next-sentence head
     */
    public static NextSentence open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static NextSentence open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new NextSentence(model, tokenizer, options);
    }

    /** How likely {@code second} follows {@code first}. */
    public Score score(String first, String second) {
        return scoreAll(List.of(TaskInput.of(first, second)), TaskProgress.NONE).getFirst();
    }

    /** As {@link #score(String, String)}, which the cancellation may end. */
    public Score score(String first, String second, Cancellation cancellation) {
        return scoreAll(List.of(TaskInput.of(first, second)), TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * The scores of many pairs, in their order.
     *
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Score> scoreAll(List<TaskInput> pairs, TaskProgress progress) {
        return scoreAll(pairs, progress, new Cancellation());
    }

    /** As {@link #scoreAll(List, TaskProgress)}, which the cancellation may end. */
    public List<Score> scoreAll(List<TaskInput> pairs, TaskProgress progress, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(0);
            List<BatchRunner.Job> jobs = new ArrayList<>();
            boolean[] truncated = new boolean[pairs.size()];
            for (int i = 0; i < pairs.size(); i++) {
                call.check();
                InputEncoder.Encoded encoded = encoder.truncated(pairs.get(i), limit);
                truncated[i] = encoded.truncated();
                jobs.add(new BatchRunner.Job(i, encoded.input()));
            }
            Score[] results = new Score[pairs.size()];
            float[] logits = new float[2];
            runner.run(call, jobs, pairs.size(), progress, (session, sequence, job) -> {
                session.nextSentence(sequence, logits);
                results[job] = new Score(ScoreFunction.SOFTMAX.apply(logits)[0], logits[0], logits[1], truncated[job]);
            });
            return List.of(results);
        }
    }
}
