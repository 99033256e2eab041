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
 * Tells which of several texts goes best with a prompt, with a BERT that has a multiple choice head: each choice is the
 * second text of a pair (Hugging Face's {@code BertForMultipleChoice}).
 * <p>
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class MultipleChoice extends EncoderTask {

    private MultipleChoice(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.MULTIPLE_CHOICE), tokenizer, options);
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static MultipleChoice open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws IllegalArgumentException if the model has no multiple choice head
     */
    public static MultipleChoice open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static MultipleChoice open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new MultipleChoice(model, tokenizer, options);
    }

    /** The choices in their order, with their probabilities. */
    public List<Choice> choose(String prompt, List<String> choices) {
        return choose(prompt, choices, new Cancellation());
    }

    /** As {@link #choose(String, List)}, which the cancellation may end. */
    public List<Choice> choose(String prompt, List<String> choices, Cancellation cancellation) {
        return chooseAll(List.of(choices.stream().map(choice -> TaskInput.of(prompt, choice)).toList()),
                TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * Many questions, each a list of pairs or ids to choose from; the results are in their order.
     *
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<List<Choice>> chooseAll(List<List<TaskInput>> questions, TaskProgress progress) {
        return chooseAll(questions, progress, new Cancellation());
    }

    /** As {@link #chooseAll(List, TaskProgress)}, which the cancellation may end. */
    public List<List<Choice>> chooseAll(List<List<TaskInput>> questions, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(0);
            List<BatchRunner.Job> jobs = new ArrayList<>();
            List<float[]> logits = new ArrayList<>();
            List<Boolean> truncated = new ArrayList<>();
            List<Integer> numbers = new ArrayList<>();
            for (int i = 0; i < questions.size(); i++) {
                call.check();
                logits.add(new float[questions.get(i).size()]);
                for (int j = 0; j < questions.get(i).size(); j++) {
                    InputEncoder.Encoded encoded = encoder.truncated(questions.get(i).get(j), limit);
                    jobs.add(new BatchRunner.Job(i, encoded.input()));
                    truncated.add(encoded.truncated());
                    numbers.add(j);
                }
            }
            float[] score = new float[1];
            runner.run(call, jobs, questions.size(), progress, (session, sequence, job) -> {
                session.scores(sequence, score);
                logits.get(jobs.get(job).owner())[numbers.get(job)] = score[0];
            });
            List<List<Choice>> results = new ArrayList<>();
            int job = 0;
            for (float[] scores : logits) {
                double[] probabilities = ScoreFunction.SOFTMAX.apply(scores);
                List<Choice> choices = new ArrayList<>();
                for (int j = 0; j < scores.length; j++) {
                    choices.add(new Choice(j, scores[j], probabilities[j], truncated.get(job++)));
                }
                results.add(List.copyOf(choices));
            }
            return results;
        }
    }
}
