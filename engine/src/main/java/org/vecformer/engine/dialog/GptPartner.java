package org.vecformer.engine.dialog;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.call.Calls;
import org.vecformer.engine.generation.DecodingLoop;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptCache;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.generation.TokenTypes;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Answers with a GPT: the next-utterance head ranks where the model has one, else the mean log-probability that the
 * tokens of a reply have, what ends it included.
 * <p>
 * Persona and history stay in the session's key/value cache from call to call, as far as a dialog begins like the one
 * before. The cache has room for that, up to the context length, and for as much again, where replies are compared.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="chat"}
 */
public final class GptPartner implements ChatPartner {

    private final Gpt model;
    private final DialogFormat format;
    private final Session session;
    private final DecodingLoop loop;
    private final PromptCache cache;
    private final ReplyScorer scorer;
    private final Calls calls;

    private GptPartner(Gpt model, Tokenizer tokenizer, DialogFormat format, Session session) {
        this.model = model;
        this.format = format;
        this.session = session;
        loop = new DecodingLoop(session, tokenizer);
        cache = new PromptCache(session);
        scorer = new ReplyScorer(session);
        calls = new Calls("GptPartner", session::close);
    }

    /**
     * As {@link #open(Gpt, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static GptPartner open(Gpt model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * Opens a partner that reads dialogs in the format {@link DialogFormat#of} chooses.
     *
     * @throws IllegalArgumentException if the model is not a language model, or as {@link DialogFormat#of}
     */
    public static GptPartner open(Gpt model, Tokenizer tokenizer) {
        DialogFormat format = DialogFormat.of(model, tokenizer);
        // Whole pages, as the one part shall not take from the other.
        long pages = Math.ceilDiv(model.config().contextLength(), KeyValueMemory.POSITIONS);
        Session session = model
                .openSession(SessionOptions.defaults().withCacheTokens(2 * pages * KeyValueMemory.POSITIONS));
        try {
            return new GptPartner(model, tokenizer, format, session);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    /** How it reads dialogs. */
    public DialogFormat format() {
        return format;
    }

    @Override
    public GenerationResult reply(Dialog dialog, ReplyOptions options, TokenListener listener,
            Cancellation cancellation) {
        try (Call call = begin(cancellation)) {
            return reply(call, dialog, options, listener);
        }
    }

    /** Begins a call, for one who does several things in it. */
    Call begin(Cancellation cancellation) {
        return calls.begin(cancellation);
    }

    /** What {@link #reply(Dialog, ReplyOptions, TokenListener, Cancellation)} does. */
    GenerationResult reply(Call call, Dialog dialog, ReplyOptions options, TokenListener listener) {
        DialogInput prompt = format.prompt(dialog.lastTurns(options.historyTurns()),
                model.config().contextLength() - options.maxNewTokens());
        GenerationOptions generation = options.generation(format).withPromptCache(cache);
        if (prompt.types() != null) {
            generation = generation.withTokenTypes(new TokenTypes(prompt.types(), prompt.replyType()));
        }
        TrimmedText text = new TrimmedText(listener);
        return text.of(loop.run(List.of(prompt.ids()), generation, new SplittableRandom().nextLong(), text,
                call::reason).getFirst());
    }

    /** How many positions of persona and history the last reply found in the cache, and so did not compute. */
    public int reused() {
        return cache.reused();
    }

    @Override
    public List<RankedReply> rank(Dialog dialog, List<String> candidates, int historyTurns,
            Cancellation cancellation) {
        try (Call call = begin(cancellation)) {
            return RankedReply.ranked(candidates, score(call, dialog, candidates, historyTurns, _ -> false).stream()
                    .mapToDouble(ReplyScore::rank).toArray());
        }
    }

    /**
     * What the model thinks of replies, in their order; otherwise as {@link #rank}.
     *
     * @param wanted of which, by index, the log-probability is wanted, although another score ranks
     */
    List<ReplyScore> score(Call call, Dialog dialog, List<String> candidates, int historyTurns,
            IntPredicate wanted) {
        if (candidates.isEmpty()) {
            return List.of();
        }
        List<int[]> replies = candidates.stream().map(candidate -> format.reply(candidate, true)).toList();
        int longest = replies.stream().mapToInt(reply -> reply.length).max().getAsInt();
        DialogInput prompt = format.prompt(dialog.lastTurns(historyTurns), model.config().contextLength() - longest);
        int common = prompt.ids().length - 1;
        try (Sequence past = cache.read(Arrays.copyOf(prompt.ids(), common),
                prompt.types() == null ? null : Arrays.copyOf(prompt.types(), common), call::check)) {
            return scorer.score(prompt, past, replies, wanted, call);
        }
    }

    @Override
    public String description() {
        return "reads dialogs as " + format.description() + "; ranks replies by "
                + (model.hasChoiceHead() ? "the next-utterance head" : "their mean log-probability");
    }

    @Override
    public void cancel() {
        calls.cancel();
    }

    @Override
    public void close() {
        calls.close();
    }
}
