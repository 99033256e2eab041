package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.call.Calls;
import org.vecformer.engine.call.PieceQueue;
import org.vecformer.engine.generation.DecodingLoop;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptCache;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.Prompts;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Continues texts with a GPT-2 model.
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="generate"}
 *
 * Token by token, by a listener, which is called on the generating thread:
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="listen"}
 *
 * as a stream, or for a subscriber, whose generation waits for a consumer that is slow:
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="stream"}
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="publish"}
 *
 * Several prompts in one batch:
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="batch"}
 *
 * A call ends early, also while its prompt is read, by its {@link Cancellation}, by {@link #cancel}, or when its thread is
 * interrupted, whose status stays set; its result has what was written until then, and the reason:
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="cancel"}
 *
 * Owns a session: one generation at a time, by any thread; another call is refused with an {@link IllegalStateException}
 * while one runs or a stream is open. Several generators share a model. For many threads at once there is {@link
 * Scheduler}.
 */
public final class TextGenerator implements AutoCloseable {

    /** How many pieces of a stream wait for the consumer before the generation waits. */
    private static final int AHEAD = 4;

    private final Gpt model;
    private final Tokenizer tokenizer;
    private final Prompts prompts;
    private final SessionOptions options;
    private Session session;
    private DecodingLoop loop;
    private final List<PromptCache> promptCaches = new ArrayList<>();
    private final Calls calls = new Calls("TextGenerator", this::free);

    private TextGenerator(Gpt model, Tokenizer tokenizer, SessionOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        prompts = new Prompts(model, tokenizer);
        this.options = options;
        open(options);
    }

    private void open(SessionOptions options) {
        Session opened = model.openSession(options);
        try {
            loop = new DecodingLoop(opened, tokenizer);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
        session = opened;
    }

    /**
     * As {@link #open(Gpt, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static TextGenerator open(Gpt model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * A generator whose cache has room for what each call needs: one context, or several for beams and several sequences.
     *
     * @param tokenizer the model's; null if prompts are given as ids and no text is wanted
     */
    public static TextGenerator open(Gpt model, Tokenizer tokenizer) {
        return new TextGenerator(model, tokenizer, SessionOptions.defaults());
    }

    /**
     * A generator with a bound on its memory, if the options name one: a call whose tokens may not fit the cache fails
     * with a {@link CacheFullException} before it begins.
     */
    public static TextGenerator open(Gpt model, Tokenizer tokenizer, SessionOptions options) {
        return new TextGenerator(model, tokenizer, options);
    }

    /**
     * Continues a text. An empty prompt starts with the model's begin token.
     *
     * @throws IllegalStateException    without a tokenizer
     * @throws IllegalArgumentException for an empty prompt, if the model has no begin token, and as for ids
     */
    public GenerationResult generate(String prompt, GenerationOptions options, TokenListener listener) {
        return generate(prompt, options, listener, new Cancellation());
    }

    /** As {@link #generate(String, GenerationOptions, TokenListener)}, which the cancellation may end. */
    public GenerationResult generate(String prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        return generate(prompts.ids(prompt), options, listener, cancellation);
    }

    /**
     * Continues token ids.
     *
     * @throws PromptTooLongException   if the prompt leaves no room for a new token and {@code truncatePrompt} is off
     * @throws CacheFullException       if the cache is bounded and too small
     * @throws IllegalArgumentException for an empty prompt, an id outside the vocabulary, or options that do not go
     *                                  together
     */
    public GenerationResult generate(int[] promptIds, GenerationOptions options, TokenListener listener) {
        return generate(promptIds, options, listener, new Cancellation());
    }

    /** As {@link #generate(int[], GenerationOptions, TokenListener)}, which the cancellation may end. */
    public GenerationResult generate(int[] promptIds, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        return generateAll(List.of(promptIds), options, listener, cancellation).getFirst();
    }

    /**
     * Continues several prompts, in one batch where the strategy allows it. Each gets what it would get alone, from the
     * same seed.
     *
     * @param listener told each token; sequence s of prompt p has the number p x (sequences of a prompt) + s
     * @return one for each prompt, in order
     */
    public List<GenerationResult> generateAll(List<int[]> prompts, GenerationOptions options, TokenListener listener) {
        return generateAll(prompts, options, listener, new Cancellation());
    }

    /** As {@link #generateAll(List, GenerationOptions, TokenListener)}, which the cancellation may end. */
    public List<GenerationResult> generateAll(List<int[]> prompts, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        Objects.requireNonNull(listener, "listener");
        try (Call call = calls.begin(cancellation)) {
            return run(prompts, options, listener, call::reason);
        }
    }

    private List<GenerationResult> run(List<int[]> prompts, GenerationOptions options, TokenListener listener,
            Supplier<FinishReason> end) {
        List<int[]> fitting = prompts.stream().map(prompt -> this.prompts.fit(prompt, options)).toList();
        ensureCache(DecodingLoop.cachePositions(fitting, options, model.config().contextLength()),
                options.promptCache().orElse(null));
        return loop.run(fitting, options, new SplittableRandom().nextLong(), listener, end);
    }

    /**
     * Continues a text, piece by piece as the stream is read: the generation begins when the first piece is asked for, and
     * is at most a few tokens ahead of the reader. Closing the stream ends it and waits for that; a stream that is not read
     * to its end must be closed, as its generation is the generator's one call until then.
     * <p>
     * The stream is read by one thread. What {@link #generate} would throw comes out of it, behind the pieces that were
     * written before. Cancelled, late, or read by a thread that is interrupted, it ends with a {@link TextEnd} that says so.
     *
     * @throws IllegalStateException    without a tokenizer; by the stream, if another call runs
     * @throws IllegalArgumentException for an empty prompt, if the model has no begin token
     */
    public Stream<TextPiece> stream(String prompt, GenerationOptions options) {
        return stream(prompt, options, new Cancellation());
    }

    /** As {@link #stream(String, GenerationOptions)}, which the cancellation may end too. */
    public Stream<TextPiece> stream(String prompt, GenerationOptions options, Cancellation cancellation) {
        return stream(prompts.ids(prompt), options, cancellation);
    }

    /** As {@link #stream(String, GenerationOptions)}, for token ids. */
    public Stream<TextPiece> stream(int[] promptIds, GenerationOptions options) {
        return stream(promptIds, options, new Cancellation());
    }

    /** As {@link #stream(String, GenerationOptions)}, for token ids, which the cancellation may end too. */
    public Stream<TextPiece> stream(int[] promptIds, GenerationOptions options, Cancellation cancellation) {
        return PieceQueue.stream(source(promptIds, options, cancellation));
    }

    /**
     * Continues a text for a subscriber, by the rules of Reactive Streams: the generation begins with its first request,
     * is at most a few tokens ahead of what it has requested, and ends when it cancels. Signals come on a thread of their
     * own. There is one generation: a second subscriber is told an {@link IllegalStateException}.
     * <p>
     * What {@link #generate} would throw is told by {@code onError}. Cancelled by its {@link Cancellation} or by {@link
     * #cancel}, or late, it ends with a {@link TextEnd} that says so and {@code onComplete}. {@code cancel} of the
     * subscription returns at once; the generator is free for another call when the layer that is computed is done.
     *
     * @throws IllegalStateException    without a tokenizer; told to the subscriber, if another call runs
     * @throws IllegalArgumentException for an empty prompt, if the model has no begin token
     */
    public Flow.Publisher<TextPiece> publish(String prompt, GenerationOptions options) {
        return publish(prompt, options, new Cancellation());
    }

    /** As {@link #publish(String, GenerationOptions)}, which the cancellation may end too. */
    public Flow.Publisher<TextPiece> publish(String prompt, GenerationOptions options, Cancellation cancellation) {
        return publish(prompts.ids(prompt), options, cancellation);
    }

    /** As {@link #publish(String, GenerationOptions)}, for token ids. */
    public Flow.Publisher<TextPiece> publish(int[] promptIds, GenerationOptions options) {
        return publish(promptIds, options, new Cancellation());
    }

    /** As {@link #publish(String, GenerationOptions)}, for token ids, which the cancellation may end too. */
    public Flow.Publisher<TextPiece> publish(int[] promptIds, GenerationOptions options, Cancellation cancellation) {
        return PieceQueue.publisher(source(promptIds, options, cancellation));
    }

    /**
     * A generation on a thread of its own. Not a virtual one: it computes and hardly ever waits, and would keep a carrier
     * from all other virtual threads of the process meanwhile.
     */
    private PieceQueue.Source source(int[] promptIds, GenerationOptions options, Cancellation cancellation) {
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(cancellation, "cancellation");
        int[] prompt = promptIds.clone();
        return queue -> {
            Call call = calls.begin(cancellation);
            try {
                Thread.ofPlatform().daemon().name("vecformer-generator").inheritInheritableThreadLocals(false)
                        .start(() -> run(prompt, options, call, queue));
            } catch (Throwable e) {
                call.close();
                throw e;
            }
        };
    }

    private void run(int[] prompt, GenerationOptions options, Call call, PieceQueue queue) {
        Throwable failure = null;
        try (call) {
            Supplier<FinishReason> end = () -> {
                FinishReason reason = call.reason();
                return reason == null && queue.isCancelled() ? FinishReason.CANCELLED : reason;
            };
            run(List.of(prompt), options, queue.atMostAhead(AHEAD, () -> end.get() != null), end);
        } catch (Throwable e) {
            failure = e;
        }
        queue.end(failure);
    }

    /**
     * A cache for {@link GenerationOptions#withPromptCache}, of which there may be several: each generation with it
     * computes only what is new since the last one. To be closed when it is not needed any more, and closed with this
     * generator. Where the memory is needed for a generation, what it holds is given up.
     */
    public PromptCache openPromptCache() {
        try (Call _ = calls.begin(new Cancellation())) {
            promptCaches.removeIf(PromptCache::isClosed);
            PromptCache cache = new PromptCache(session);
            promptCaches.add(cache);
            return cache;
        }
    }

    /**
     * A larger cache takes the place of one that is too small. If its size was given, prompt caches make room.
     *
     * @param positions that the generation takes, those of its prompt cache included
     * @param own       its prompt cache; null for none
     */
    private void ensureCache(long positions, PromptCache own) {
        promptCaches.removeIf(PromptCache::isClosed);
        List<PromptCache> others = promptCaches.stream().filter(cache -> cache != own).toList();
        if (positions + others.stream().mapToLong(PromptCache::positions).sum() <= session.cachePositions()) {
            return;
        }
        if (options.cacheTokens() == 0) {
            reopen(positions + others.size() * (long) model.config().contextLength());
        } else if (positions <= session.cachePositions()) {
            others.forEach(PromptCache::clear);
        } else {
            throw new CacheFullException("the generation may take " + positions
                    + " positions of the key/value cache, which has " + session.cachePositions()
                    + ": open the generator with a larger cache, or ask for fewer tokens, sequences or beams");
        }
    }

    private void reopen(long positions) {
        Session tooSmall = session;
        promptCaches.forEach(PromptCache::clear);
        open(options.withCacheTokens(positions));
        promptCaches.forEach(cache -> cache.moveTo(session));
        tooSmall.close();
    }

    /**
     * Ends the generation that runs, if any: its result has the reason CANCELLED. From any thread. Called just before a
     * generation begins, it is lost: a {@link Cancellation} is not.
     */
    public void cancel() {
        calls.cancel();
    }

    /**
     * Frees the session, and closes the prompt caches. A generation that runs on another thread ends with a {@link
     * ClosedException}, which a stream or a publisher tells too, and the session is freed behind it.
     */
    @Override
    public void close() {
        calls.close();
    }

    private void free() {
        promptCaches.forEach(PromptCache::close);
        session.close();
    }
}
