package org.vecformer.engine.task;

import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.vecformer.engine.generation.DecodingLoop;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt2;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.tokenizer.StreamingDecoder;
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

    private final Gpt2 model;
    private final Tokenizer tokenizer;
    private final Session session;
    private final DecodingLoop loop;
    private volatile boolean cancelled;

    private TextGenerator(Gpt2 model, Tokenizer tokenizer, SessionOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        session = model.openSession(options);
        try {
            loop = new DecodingLoop(session);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    /**
     * A generator for texts up to the model's context length.
     *
     * @param tokenizer the model's; null if prompts are given as ids and no text is wanted
     */
    public static TextGenerator open(Gpt2 model, Tokenizer tokenizer) {
        return new TextGenerator(model, tokenizer, SessionOptions.defaults());
    }

    /**
     * A generator with a bound on its memory: a generation whose tokens do not fit the cache fails with a
     * {@link org.vecformer.engine.CacheFullException}.
     */
    public static TextGenerator open(Gpt2 model, Tokenizer tokenizer, SessionOptions options) {
        return new TextGenerator(model, tokenizer, options);
    }

    /** Continues a text. An empty prompt starts with the model's begin token. */
    public GenerationResult generate(String prompt, GenerationOptions options, TokenListener listener) {
        if (tokenizer == null) {
            throw new IllegalStateException("this generator has no tokenizer: give the prompt as token ids");
        }
        int[] ids = tokenizer.ids(prompt);
        if (ids.length == 0) {
            ids = new int[]{model.config().bosTokenId().orElseThrow(() -> new IllegalArgumentException(
                    "the prompt has no tokens and the model's config names no bos_token_id to begin with"))};
        }
        return generate(ids, options, listener);
    }

    /**
     * Continues token ids.
     *
     * @throws PromptTooLongException   if the prompt leaves no room for a new token and {@code truncatePrompt} is off
     * @throws IllegalArgumentException for an empty prompt or an id outside the vocabulary
     */
    public GenerationResult generate(int[] promptIds, GenerationOptions options, TokenListener listener) {
        Objects.requireNonNull(listener, "listener");
        cancelled = false;
        int[] prompt = fit(promptIds, options);
        int[] ids = Arrays.copyOf(prompt, bound(prompt.length, options));
        Sampler sampler = options.sampler(new SplittableRandom().nextLong());
        int[] endTokens = options.endTokens().stream().mapToInt(Integer::intValue).sorted().toArray();
        StreamingDecoder decoder = tokenizer == null ? null : tokenizer.streamingDecoder(true);
        StringBuilder text = new StringBuilder();
        DecodingLoop.Outcome outcome = loop.run(ids, prompt.length, sampler, endTokens, options.useCache(), id -> {
            boolean hidden = decoder == null || !tokenizer.contains(id) || Arrays.binarySearch(endTokens, id) >= 0;
            String piece = hidden ? "" : decoder.accept(id);
            text.append(piece);
            listener.token(id, piece);
        }, () -> cancelled);
        if (decoder != null) {
            text.append(decoder.finish());
        }
        return new GenerationResult(prompt, Arrays.copyOfRange(ids, prompt.length, outcome.length()), text.toString(),
                outcome.reason(), outcome.timing());
    }

    /**
     * The prompt, or its end if it is too long and may be truncated: new tokens get the room that was asked
     * for, but half the context at most.
     */
    private int[] fit(int[] prompt, GenerationOptions options) {
        int context = model.config().contextLength();
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens; expected at least one");
        }
        // Here, because a prompt that is dropped in part or not continued never gets to the model as a whole.
        for (int id : prompt) {
            if (id < 0 || id >= model.config().vocabularySize()) {
                throw new IllegalArgumentException("the prompt has the token id " + id
                        + "; the model's vocabulary has ids 0 to " + (model.config().vocabularySize() - 1));
            }
        }
        if (prompt.length < context || (prompt.length == context && options.maxNewTokens().orElse(1) == 0)) {
            return prompt.clone();
        }
        if (!options.truncatePrompt()) {
            throw new PromptTooLongException(
                    "the prompt has " + prompt.length + " tokens, the model's context length is " + context
                            + ": at most " + (context - 1)
                            + " fit with a new token behind them; shorten it or ask for truncation");
        }
        int room = Math.clamp(options.maxNewTokens().orElse(context / 2), 1, Math.max(1, context / 2));
        return Arrays.copyOfRange(prompt, prompt.length - (context - room), prompt.length);
    }

    private int bound(int promptLength, GenerationOptions options) {
        long bound = model.config().contextLength();
        bound = Math.min(bound, options.maxLength().orElse(Integer.MAX_VALUE));
        bound = Math.min(bound, (long) promptLength + options.maxNewTokens().orElse(Integer.MAX_VALUE));
        return (int) Math.max(promptLength, bound);
    }

    /**
     * Ends the generation that runs, if any, before its next step: its result has the reason CANCELLED. From
     * any thread.
     */
    public void cancel() {
        cancelled = true;
    }

    /** Frees the session. */
    @Override
    public void close() {
        session.close();
    }
}
