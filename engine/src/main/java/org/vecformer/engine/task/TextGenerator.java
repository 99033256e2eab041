package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.generation.DecodingLoop;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptCache;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.Prompts;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Continues texts with a GPT-2 model.
 *
 * <pre>{@code
 * try (TextGenerator generator = TextGenerator.open(model, tokenizer)) {
 *     GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(40);
 *     System.out.println(generator.generate("Once upon a time", options, TokenListener.NONE).text());
 * }
 * }</pre>
 *
 * Owns a session: one generation at a time, which {@link #cancel} may end from any thread. Several generators share a
 * model.
 */
public final class TextGenerator implements AutoCloseable {

    private final Gpt model;
    private final Tokenizer tokenizer;
    private final Prompts prompts;
    private final SessionOptions options;
    private Session session;
    private DecodingLoop loop;
    private final List<PromptCache> promptCaches = new ArrayList<>();
    private volatile boolean cancelled;

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
        return generate(prompts.ids(prompt), options, listener);
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
        return generateAll(List.of(promptIds), options, listener).get(0);
    }

    /**
     * Continues several prompts, in one batch where the strategy allows it. Each gets what it would get alone, from the
     * same seed.
     *
     * @param listener told each token; sequence s of prompt p has the number p x (sequences of a prompt) + s
     * @return one for each prompt, in order
     */
    public List<GenerationResult> generateAll(List<int[]> prompts, GenerationOptions options, TokenListener listener) {
        Objects.requireNonNull(listener, "listener");
        cancelled = false;
        List<int[]> fitting = prompts.stream().map(prompt -> this.prompts.fit(prompt, options)).toList();
        ensureCache(DecodingLoop.cachePositions(fitting, options, model.config().contextLength()),
                options.promptCache().orElse(null));
        return loop.run(fitting, options, new SplittableRandom().nextLong(), listener, () -> cancelled);
    }

    /**
     * A cache for {@link GenerationOptions#withPromptCache}, of which there may be several: each generation with it
     * computes only what is new since the last one. To be closed when it is not needed any more, and closed with this
     * generator. Where the memory is needed for a generation, what it holds is given up.
     */
    public PromptCache openPromptCache() {
        promptCaches.removeIf(PromptCache::isClosed);
        PromptCache cache = new PromptCache(session);
        promptCaches.add(cache);
        return cache;
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
     * Ends the generation that runs, if any, before its next step: its result has the reason CANCELLED. From
     * any thread.
     */
    public void cancel() {
        cancelled = true;
    }

    /** Frees the session, and closes the prompt caches. */
    @Override
    public void close() {
        promptCaches.forEach(PromptCache::close);
        session.close();
    }
}
