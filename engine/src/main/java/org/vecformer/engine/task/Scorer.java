package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.call.Calls;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Tells how likely a GPT-2 holds texts to be: each token's log-probability, perplexity, continuations compared; and
 * what the model expects next.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="score"}
 *
 * Logarithms are natural ones. Logits are float32, sums over the vocabulary double. A text gets the same bits alone and
 * with others. Owns a session: used by one thread at a time, {@link #cancel} from any; then the call that runs ends with
 * a {@link java.util.concurrent.CancellationException}. Several scorers share a model.
 */
public final class Scorer implements AutoCloseable {

    private final Gpt model;
    private final Tokenizer tokenizer;
    final RowRunner runner;
    private final Calls calls;

    private Scorer(Gpt model, Tokenizer tokenizer, SessionOptions options) {
        if (!model.isLanguageModel()) {
            throw new IllegalArgumentException(
                    "the model's head is " + model.head() + ", which tells nothing of the next token");
        }
        this.model = model;
        this.tokenizer = tokenizer;
        runner = new RowRunner(model, options);
        calls = new Calls("Scorer", runner::close);
    }

    /**
     * As {@link #open(Gpt, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static Scorer open(Gpt model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * A scorer whose cache has room for two texts of the context length.
     *
     * @param tokenizer the model's; null if texts are given as ids
     * @throws IllegalArgumentException if the model's head is not a language model's
     */
    public static Scorer open(Gpt model, Tokenizer tokenizer) {
        return open(model, tokenizer, SessionOptions.defaults().withCacheTokens(2L * model.config().contextLength()));
    }

    /** As {@link #open(Gpt, Tokenizer)}, with bounds on its memory; results are the same. */
    public static Scorer open(Gpt model, Tokenizer tokenizer, SessionOptions options) {
        return new Scorer(model, tokenizer, options);
    }

    /** How many tokens are computed together at most. */
    public int batchTokens() {
        return runner.batchTokens();
    }

    /**
     * Scores a text.
     *
     * @throws IllegalArgumentException if it has no tokens
     */
    public TextScore score(String text, ScoringOptions options) {
        return score(required().ids(text), options);
    }

    /** As {@link #score(String, ScoringOptions)}, which the cancellation may end. */
    public TextScore score(String text, ScoringOptions options, Cancellation cancellation) {
        return score(required().ids(text), options, cancellation);
    }

    /** As {@link #score(String, ScoringOptions)}. */
    public TextScore score(int[] ids, ScoringOptions options) {
        return score(ids, options, new Cancellation());
    }

    /** As {@link #score(String, ScoringOptions)}, which the cancellation may end. */
    public TextScore score(int[] ids, ScoringOptions options, Cancellation cancellation) {
        return scoreAll(List.of(ids), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * Scores many texts, together where they fit; the results are in their order.
     *
     * @param progress counts tokens
     * @throws IllegalArgumentException if a text has no tokens, an id is outside the vocabulary, the options do not go
     *                                  with the model, or it has no begin token that is wanted
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<TextScore> scoreAll(List<int[]> texts, ScoringOptions options, TaskProgress progress) {
        return scoreAll(texts, options, progress, new Cancellation());
    }

    /** As {@link #scoreAll(List, ScoringOptions, TaskProgress)}, which the cancellation may end. */
    public List<TextScore> scoreAll(List<int[]> texts, ScoringOptions options, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = begin(cancellation)) {
            return scoreTexts(call, texts, options, progress);
        }
    }

    /** Begins a call, for one who does several things in it. */
    Call begin(Cancellation cancellation) {
        return calls.begin(cancellation);
    }

    /** What {@link #scoreAll} does. */
    List<TextScore> scoreTexts(Call call, List<int[]> texts, ScoringOptions options, TaskProgress progress) {
        ScoringOptions resolved = options.resolve(model.config().contextLength());
        List<TextScore> scores = new ArrayList<>();
        List<RowRunner.Job> windows = new ArrayList<>();
        for (int[] text : texts) {
            int[] ids = options.beginToken() ? begun(checked(text, "text")) : checked(text, "text").clone();
            double[] logprobs = new double[ids.length];
            Arrays.fill(logprobs, Double.NaN);
            windows.addAll(SlidingWindows.of(scores.size(), ids, resolved));
            scores.add(new TextScore(ids, logprobs));
        }
        ScoredTokens scored = new ScoredTokens(progress, windows);
        runner.run(call, null, windows.iterator(), (job, index, row) -> {
            TextScore score = scores.get(job.number());
            score.logprobs()[index + 1] = row.logprob(score.ids()[index + 1]);
        }, scored::add);
        return List.copyOf(scores);
    }

    /** Tells how many tokens have been scored. */
    private static final class ScoredTokens {
        private final TaskProgress progress;
        private final int total;
        private int done;

        ScoredTokens(TaskProgress progress, List<RowRunner.Job> windows) {
            this.progress = progress;
            total = Math.toIntExact(windows.stream().mapToLong(RowRunner.Job::rows).sum());
        }

        void add(RowRunner.Job job) {
            done += job.rows();
            progress.done(done, total);
        }
    }

    /**
     * Compares continuations of a prompt. They are cut into tokens as lm-evaluation-harness does it: white space at the
     * prompt's end is moved to the continuations, and a continuation's tokens are those that the whole text has behind
     * the prompt's. Where the whole text has a token across the boundary, so that it does not begin with the prompt's
     * tokens, the continuation is cut by itself (the harness drops a part of it there). An empty prompt is the model's
     * begin token.
     *
     * @return the scores in the order of the continuations
     * @throws IllegalArgumentException if there is a continuation without tokens, or one that does not fit the model's
     *                                  context with the prompt
     */
    public List<ContinuationScore> compare(String prompt, List<String> continuations) {
        return compare(prompt, continuations, new Cancellation());
    }

    /** As {@link #compare(String, List)}, which the cancellation may end. */
    public List<ContinuationScore> compare(String prompt, List<String> continuations, Cancellation cancellation) {
        ContinuationTokens tokens = ContinuationTokens.of(required(), prompt, continuations);
        return compare(tokens.prompt().length == 0 ? begun(tokens.prompt()) : tokens.prompt(), tokens.continuations(),
                cancellation);
    }

    /**
     * Compares continuations of a prompt, given as ids. The prompt is computed once.
     *
     * @throws IllegalArgumentException if the prompt or a continuation has no tokens, an id is outside the vocabulary,
     *                                  or one does not fit the model's context with the prompt
     */
    public List<ContinuationScore> compare(int[] prompt, List<int[]> continuations) {
        return compare(prompt, continuations, new Cancellation());
    }

    /** As {@link #compare(int[], List)}, which the cancellation may end. */
    public List<ContinuationScore> compare(int[] prompt, List<int[]> continuations, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            checked(prompt, "prompt");
            for (int[] continuation : continuations) {
                checked(continuation, "continuation");
                // The last token need not be seen.
                int length = prompt.length + continuation.length - 1;
                if (length > model.config().contextLength()) {
                    throw new IllegalArgumentException("a prompt of " + prompt.length + " tokens and a continuation of "
                            + continuation.length + "; the model's context length is "
                            + model.config().contextLength());
                }
            }
            if (continuations.isEmpty()) {
                return List.of();
            }
            List<Target> targets = continuations.stream().map(ids -> new Target(ids.clone(), 0)).toList();
            Session session = runner.session();
            try (Sequence sequence = session.newSequence()) {
                runner.feed(call, sequence, prompt);
                LogitsRow last = new LogitsRow(model.outputs());
                session.logits(0, last.logits());
                last.read();
                targets.forEach(target -> target.read(0, last));
                Iterator<RowRunner.Job> jobs = IntStream.range(0, targets.size())
                        .filter(i -> targets.get(i).ids.length > 1)
                        .mapToObj(i -> new RowRunner.Job(i, targets.get(i).ids, 0, 0, targets.get(i).ids.length - 1))
                        .iterator();
                runner.run(call, sequence, jobs, (job, index, row) -> targets.get(job.number()).read(index + 1, row),
                        _ -> {
                        });
            }
            double first = targets.getFirst().sum();
            return targets.stream().map(target -> target.score(first)).toList();
        }
    }

    /**
     * Scores the end of each text; for texts with nothing in common.
     *
     * @param targets with a token before {@code first}; what is longer than the context loses its beginning
     * @param progress counts texts
     */
    void scoreEnds(Call call, List<Target> targets, TaskProgress progress) {
        int context = model.config().contextLength();
        Iterator<RowRunner.Job> jobs = IntStream.range(0, targets.size()).mapToObj(i -> {
            Target target = targets.get(i);
            int to = checked(target.ids, "text").length - 1;
            if (to - target.first >= context) {
                throw new IllegalArgumentException("an end of " + (target.ids.length - target.first)
                        + " tokens; the model's context length is " + context);
            }
            return new RowRunner.Job(i, target.ids, Math.max(0, to - context), target.first - 1, to);
        }).iterator();
        int[] done = {0};
        runner.run(call, null, jobs, (job, index, row) -> targets.get(job.number()).read(index + 1, row),
                _ -> progress.done(++done[0], targets.size()));
    }

    /** Tokens whose log-probabilities are wanted, from one of them on, and whether they are the most likely ones. */
    static final class Target {
        final int[] ids;
        final int first;
        private final double[] logprobs;
        private final boolean[] best;

        Target(int[] ids, int first) {
            this.ids = ids;
            this.first = first;
            logprobs = new double[ids.length];
            best = new boolean[ids.length];
        }

        /** A continuation behind its prompt. */
        static Target of(int[] prompt, int[] continuation) {
            int[] ids = Arrays.copyOf(prompt, prompt.length + continuation.length);
            System.arraycopy(continuation, 0, ids, prompt.length, continuation.length);
            return new Target(ids, prompt.length);
        }

        private void read(int index, LogitsRow row) {
            logprobs[index] = row.logprob(ids[index]);
            best[index] = row.best() == ids[index];
        }

        double sum() {
            double sum = 0;
            for (int i = first; i < ids.length; i++) {
                sum += logprobs[i];
            }
            return sum;
        }

        boolean greedy() {
            return IntStream.range(first, ids.length).allMatch(i -> best[i]);
        }

        private ContinuationScore score(double sumOfFirst) {
            return new ContinuationScore(ids, logprobs, sum(), StrictMath.exp(sum() - sumOfFirst), greedy());
        }
    }

    /** The tokens that may come next: see {@link #next(int[], int)}. An empty text is the begin token. */
    public List<NextToken> next(String text, int topK) {
        return next(text, topK, new Cancellation());
    }

    /** As {@link #next(String, int)}, which the cancellation may end. */
    public List<NextToken> next(String text, int topK, Cancellation cancellation) {
        return next(idsOrBegin(text), topK, cancellation);
    }

    /**
     * The tokens that are most likely to come next.
     *
     * @param topK how many; the whole vocabulary if it is smaller
     * @return by descending probability, equal ones by ascending id
     * @throws IllegalArgumentException if the text has no tokens, more than the model's context length, or ids outside
     *                                  the vocabulary, or {@code topK} is not positive
     */
    public List<NextToken> next(int[] ids, int topK) {
        return next(ids, topK, new Cancellation());
    }

    /** As {@link #next(int[], int)}, which the cancellation may end. */
    public List<NextToken> next(int[] ids, int topK, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            if (topK < 1) {
                throw new IllegalArgumentException("topK is " + topK + "; expected 1 or more");
            }
            fitting(ids);
            List<NextToken> tokens = new ArrayList<>();
            RowRunner.Job job = new RowRunner.Job(0, ids, 0, ids.length - 1, ids.length);
            runner.run(call, null, List.of(job).iterator(), (_, _, row) -> {
                Candidates candidates = new Candidates(model.outputs());
                candidates.load(row.logits());
                int[] best = new int[Math.min(topK, model.outputs())];
                candidates.best(topK, best);
                IntStream.of(best).forEach(id -> tokens.add(token(id, row)));
            }, _ -> {
            });
            return List.copyOf(tokens);
        }
    }

    /** What the model expects after every prefix: see {@link #predict(int[])}. An empty text is the begin token. */
    public List<Prediction> predict(String text) {
        return predict(text, new Cancellation());
    }

    /** As {@link #predict(String)}, which the cancellation may end. */
    public List<Prediction> predict(String text, Cancellation cancellation) {
        return predict(idsOrBegin(text), cancellation);
    }

    /**
     * The most likely token after every prefix of a text: after its first token, its first two, ..., all of them.
     *
     * @throws IllegalArgumentException if the text has no tokens, more than the model's context length, or ids outside
     *                                  the vocabulary
     */
    public List<Prediction> predict(int[] ids) {
        return predict(ids, new Cancellation());
    }

    /** As {@link #predict(int[])}, which the cancellation may end. */
    public List<Prediction> predict(int[] ids, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            fitting(ids);
            NextToken[] next = new NextToken[ids.length];
            runner.run(call, null, List.of(new RowRunner.Job(0, ids, 0, 0, ids.length)).iterator(),
                    (_, index, row) -> next[index] = token(row.best(), row), _ -> {
                    });
            return IntStream.range(0, ids.length).mapToObj(i -> new Prediction(i,
                    tokenizer == null ? "" : tokenizer.decode(Arrays.copyOf(ids, i + 1)), next[i])).toList();
        }
    }

    private NextToken token(int id, LogitsRow row) {
        String text = tokenizer == null || !tokenizer.contains(id) ? "" : tokenizer.decode(new int[]{id});
        return new NextToken(id, text, row.logprob(id));
    }

    private Tokenizer required() {
        if (tokenizer == null) {
            throw new IllegalStateException("this scorer has no tokenizer: give the text as token ids");
        }
        return tokenizer;
    }

    private int[] idsOrBegin(String text) {
        int[] ids = required().ids(text);
        return ids.length == 0 ? begun(ids) : ids;
    }

    /** The ids behind the begin token. */
    private int[] begun(int[] ids) {
        int[] all = new int[ids.length + 1];
        all[0] = model.config().bosTokenId().orElseThrow(() -> new IllegalArgumentException(
                "there is no begin token: the model's config names no bos_token_id"));
        System.arraycopy(ids, 0, all, 1, ids.length);
        return all;
    }

    private void fitting(int[] ids) {
        checked(ids, "text");
        if (ids.length > model.config().contextLength()) {
            throw new IllegalArgumentException("the text has " + ids.length + " tokens; the model's context length is "
                    + model.config().contextLength());
        }
    }

    /** The ids, all of which are looked at: the last one of a text is never given to the model. */
    private int[] checked(int[] ids, String what) {
        Objects.requireNonNull(ids, what);
        if (ids.length == 0) {
            throw new IllegalArgumentException("the " + what + " has no tokens; expected at least one");
        }
        for (int id : ids) {
            if (id < 0 || id >= model.outputs()) {
                throw new IllegalArgumentException("the " + what + " has the token id " + id
                        + "; the model's vocabulary has ids 0 to " + (model.outputs() - 1));
            }
        }
        return ids;
    }

    /** Ends the call that runs, if any. From any thread. */
    public void cancel() {
        calls.cancel();
    }

    /**
     * Frees the session; the model stays open. A call that runs on another thread ends with a {@link ClosedException}, and
     * the session is freed behind it.
     */
    @Override
    public void close() {
        calls.close();
    }
}
