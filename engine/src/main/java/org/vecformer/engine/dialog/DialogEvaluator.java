package org.vecformer.engine.dialog;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Measures a model on dialogs as ConvAI2 does: hits@1 (is the reply that was given the one that the model ranks first
 * among the candidates?), perplexity of the reply's tokens, and F1 of the words that the model's own reply shares with
 * it.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="evaluate"}
 *
 * What is scored of a reply are its tokens behind its speaker's and what ends it, as in the article's training code. A
 * dialog is computed once for its candidates and its reply. An example gets the same bits alone and with others. Used by
 * one thread at a time, {@link #cancel} from any; several evaluators share a model.
 */
public final class DialogEvaluator implements AutoCloseable {

    private final GptPartner partner;
    private final boolean hasChoice;

    private DialogEvaluator(Gpt model, Tokenizer tokenizer) {
        partner = GptPartner.open(model, tokenizer);
        hasChoice = model.hasChoiceHead();
    }

    /**
     * As {@link #open(Gpt, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static DialogEvaluator open(Gpt model) throws IOException {
        return open(model, model.tokenizer());
    }

    /** @throws IllegalArgumentException if the model is no language model, or its tokenizer does not go with it */
    public static DialogEvaluator open(Gpt model, Tokenizer tokenizer) {
        return new DialogEvaluator(model, tokenizer);
    }

    /** What candidates are ranked by, in a few words. */
    public String rankedBy() {
        return hasChoice ? "next-utterance head" : "mean log-probability";
    }

    /** How the model reads dialogs, in a few words, such as {@code transcript}. */
    public String format() {
        return partner.format().description();
    }

    /**
     * Evaluates examples one after the other.
     *
     * @param options  as {@link #score}
     * @param write    as {@link #score}
     * @param progress counts examples
     */
    public DialogScore evaluate(List<DialogExample> examples, ReplyOptions options, boolean write,
            TaskProgress progress) {
        return evaluate(examples, options, write, progress, new Cancellation());
    }

    /** As {@link #evaluate(List, ReplyOptions, boolean, TaskProgress)}, which the cancellation may end. */
    public DialogScore evaluate(List<DialogExample> examples, ReplyOptions options, boolean write,
            TaskProgress progress, Cancellation cancellation) {
        try (Call call = partner.begin(cancellation)) {
            List<ExampleScore> scores = new ArrayList<>();
            for (DialogExample example : examples) {
                scores.add(score(call, example, options, write));
                progress.done(scores.size(), examples.size());
            }
            return DialogScore.of(scores);
        }
    }

    /**
     * Evaluates one example.
     *
     * @param options how much of the history the model sees, and how its reply is written
     * @param write   whether it writes one, which takes most of the time; without, F1 is 0
     * @throws PromptTooLongException if persona, last utterance and the longest candidate, or the reply that is written,
     *                                do not fit the model's context
     * @throws CancellationException  if it was cancelled
     */
    public ExampleScore score(DialogExample example, ReplyOptions options, boolean write) {
        return score(example, options, write, new Cancellation());
    }

    /** As {@link #score(DialogExample, ReplyOptions, boolean)}, which the cancellation may end. */
    public ExampleScore score(DialogExample example, ReplyOptions options, boolean write, Cancellation cancellation) {
        try (Call call = partner.begin(cancellation)) {
            return score(call, example, options, write);
        }
    }

    private ExampleScore score(Call call, DialogExample example, ReplyOptions options, boolean write) {
        call.check();
        int gold = example.candidates().size() - 1;
        List<ReplyScore> scores = partner.score(call, example.dialog(), example.candidates(), options.historyTurns(),
                i -> i == gold);
        String reply = write ? reply(call, example, options) : null;
        ReplyScore goldScore = scores.get(gold);
        List<Double> ranks = scores.stream().map(ReplyScore::rank).toList();
        boolean hit = example.candidates().get(best(ranks)).equals(example.gold());
        return new ExampleScore(ranks, hit, goldScore.logprob(), goldScore.tokens(), reply,
                reply == null ? 0 : WordOverlap.f1(reply, example.gold()));
    }

    private String reply(Call call, DialogExample example, ReplyOptions options) {
        GenerationResult result = partner.reply(call, example.dialog(), options, TokenListener.NONE);
        // A reply that was cut off is none to be measured.
        call.check();
        return result.text();
    }

    private static int best(List<Double> ranks) {
        int best = 0;
        for (int i = 1; i < ranks.size(); i++) {
            best = ranks.get(i) > ranks.get(best) ? i : best;
        }
        return best;
    }

    /** Ends the call that runs, if any. From any thread. */
    public void cancel() {
        partner.cancel();
    }

    /** Frees the session, behind a call that runs: see {@link ChatPartner#close}; the model stays open. */
    @Override
    public void close() {
        partner.close();
    }
}
