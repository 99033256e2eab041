package org.vecformer.engine.task;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Measures a GPT-2 on texts: perplexity of a corpus, and last words guessed. As {@link Scorer}, which does the work, it
 * is used by one thread at a time and can be cancelled from any; a measurement that was cancelled or failed has no
 * result.
 */
public final class Evaluator implements AutoCloseable {

    private final Tokenizer tokenizer;
    final Scorer scorer;

    private Evaluator(Tokenizer tokenizer, Scorer scorer) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.scorer = scorer;
    }

    /**
     * As {@link #open(Gpt, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static Evaluator open(Gpt model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's
     * @throws IllegalArgumentException if the model's head is not a language model's
     */
    public static Evaluator open(Gpt model, Tokenizer tokenizer) {
        Objects.requireNonNull(tokenizer, "tokenizer");
        return new Evaluator(tokenizer, Scorer.open(model, tokenizer));
    }

    /** As {@link #open(Gpt, Tokenizer)}, with bounds on its memory; results are the same. */
    public static Evaluator open(Gpt model, Tokenizer tokenizer, SessionOptions options) {
        Objects.requireNonNull(tokenizer, "tokenizer");
        return new Evaluator(tokenizer, Scorer.open(model, tokenizer, options));
    }

    /**
     * The perplexity of a text file as one text, in windows as the options say. Takes 12 bytes of memory for each
     * token.
     *
     * @param progress counts tokens
     * @throws IllegalArgumentException if the file has nothing to score, or the options do not go with the model
     * @throws IOException              if the file cannot be read, or is not UTF-8
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public CorpusScore perplexity(Path file, ScoringOptions options, TaskProgress progress) throws IOException {
        return perplexity(file, options, progress, new Cancellation());
    }

    /** As {@link #perplexity(Path, ScoringOptions, TaskProgress)}, which the cancellation may end. */
    public CorpusScore perplexity(Path file, ScoringOptions options, TaskProgress progress, Cancellation cancellation)
            throws IOException {
        try (Call call = scorer.begin(cancellation)) {
            CorpusTokens corpus = CorpusTokens.read(file, tokenizer, call::check);
            int[] ids = corpus.ids();
            if (ids.length < (options.beginToken() ? 1 : 2)) {
                throw new IllegalArgumentException(
                        file + " has " + (ids.length == 0 ? "no text" : "a single token")
                                + ": there is nothing to score");
            }
            TextScore score = scorer.scoreTexts(call, List.of(ids), options, progress).getFirst();
            return new CorpusScore(ids.length, score.scored(), corpus.words(), corpus.bytes(), score.sum());
        }
    }

    /**
     * How many last words of passages the model guesses (Paperno et al., 2016, "The LAMBADA dataset", arXiv
     * 1606.06031), as lm-evaluation-harness measures it in {@code lambada_openai}: a passage's last word is what stands
     * behind its last space, with that space; it is guessed if each of its tokens is the most likely one after those
     * before it. A passage that is longer than the model's context loses its beginning.
     *
     * @param progress counts passages
     * @throws IllegalArgumentException if there is no passage, or one without a space between words; the message counts
     *                                  them from 1
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public LastWordScore lastWord(List<String> passages, TaskProgress progress) {
        return lastWord(passages, progress, new Cancellation());
    }

    /** As {@link #lastWord(List, TaskProgress)}, which the cancellation may end. */
    public LastWordScore lastWord(List<String> passages, TaskProgress progress, Cancellation cancellation) {
        try (Call call = scorer.begin(cancellation)) {
            if (passages.isEmpty()) {
                throw new IllegalArgumentException("there are no passages; expected at least one");
            }
            List<Scorer.Target> targets = new ArrayList<>();
            for (String passage : passages) {
                call.check();
                targets.add(target(passage, targets.size() + 1));
            }
            scorer.scoreEnds(call, targets, progress);
            int correct = 0;
            double sum = 0;
            for (Scorer.Target target : targets) {
                correct += target.greedy() ? 1 : 0;
                sum += target.sum();
            }
            return new LastWordScore(passages.size(), correct, sum);
        }
    }

    private Scorer.Target target(String passage, int number) {
        String text = passage.stripTrailing();
        int space = text.lastIndexOf(' ');
        if (space < 0 || text.substring(0, space).isBlank()) {
            throw new IllegalArgumentException(
                    "passage " + number + " has no words before its last one, separated by a space");
        }
        ContinuationTokens tokens = ContinuationTokens.of(tokenizer, text.substring(0, space),
                List.of(text.substring(space)));
        return Scorer.Target.of(tokens.prompt(), tokens.continuations().getFirst());
    }

    /** Ends the measurement that runs, if any. From any thread. */
    public void cancel() {
        scorer.cancel();
    }

    /** Frees the session, behind a call that runs: see {@link Scorer#close}; the model stays open. */
    @Override
    public void close() {
        scorer.close();
    }
}
