package org.vecformer.engine.task;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.MaskStrategy;
import org.vecformer.engine.generation.MaskedLoop;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.StreamingDecoder;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Writes text with a BERT that has a masked-LM head, by the strategies of {@link MaskStrategy}.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="write"}
 *
 * Owns a session: one generation at a time, which {@link #cancel} may end from any thread; its result then has the
 * reason CANCELLED. Several generators share a model.
 */
public final class MaskGenerator extends EncoderTask {

    private final int maskId;
    private final int separatorId;

    private MaskGenerator(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.MASKED_LM), tokenizer, options);
        maskId = tokenizer.mask().getAsInt();
        separatorId = tokenizer.separator().getAsInt();
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static MaskGenerator open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; needed for ids too, because it knows the mask and the separator
     * @throws IllegalArgumentException if the model has no masked-LM head, or the tokenizer no mask or separator
     */
    public static MaskGenerator open(Bert model, Tokenizer tokenizer) {
        if (tokenizer == null || tokenizer.mask().isEmpty() || tokenizer.separator().isEmpty()) {
            throw new IllegalArgumentException(
                    "there is no " + (tokenizer == null ? "tokenizer" : "mask or separator token")
                            + "; writing with masks needs a tokenizer that has both");
        }
        return new MaskGenerator(model, tokenizer, EncoderOptions.defaults());
    }

    /**
     * Writes.
     *
     * @param input    what to go on from, a text or a pair (the last text goes on); for {@link MaskStrategy#GIBBS} it
     *                 may be empty
     * @param listener told each token with its text; of {@link MaskStrategy#GIBBS} each iteration's token, whose text is
     *                 not final and therefore empty
     * @return the continuation; of {@link MaskStrategy#GIBBS} the whole text without special tokens. The finish reason
     *         is STOP for a stop token, LENGTH for the number of tokens or iterations or the end of the context
     * @throws PromptTooLongException if there is no room for a mask
     * @throws IllegalArgumentException if a stop token is not in the vocabulary, or there is nothing to resample
     */
    public GenerationResult generate(TaskInput input, MaskGenerationOptions options, TokenListener listener) {
        return generate(input, options, listener, new Cancellation());
    }

    /** As {@link #generate(TaskInput, MaskGenerationOptions, TokenListener)}, which the cancellation may end. */
    public GenerationResult generate(TaskInput input, MaskGenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            EncoderInput start = encoder.whole(input).input();
            MaskedLoop loop = new MaskedLoop(runner.session(), maskId, separatorId,
                    options.specialTokens() ? new int[0] : specialTokens());
            long randomSeed = options.seed().orElseGet(() -> new SplittableRandom().nextLong());
            return options.strategy() == MaskStrategy.GIBBS
                    ? resample(loop, start, options, randomSeed, listener, call)
                    : extend(loop, start, options, randomSeed, listener, call);
        }
    }

    /**
     * Ends the generation that runs, if any: its result has the reason CANCELLED. From any thread.
     */
    @Override
    public void cancel() {
        super.cancel();
    }

    private GenerationResult extend(MaskedLoop loop, EncoderInput start, MaskGenerationOptions options,
            long randomSeed, TokenListener listener, Call call) {
        int masks = options.strategy() == MaskStrategy.APPEND ? 1 : options.masks();
        StreamingDecoder decoder = tokenizer.streamingDecoder(true);
        StringBuilder text = new StringBuilder();
        MaskedLoop.Outcome outcome = loop.extend(start, masks, options.maxNewTokens(), stopTokens(options),
                options.sampler(randomSeed), id -> {
                    String piece = decoder.accept(id);
                    text.append(piece);
                    listener.token(new GeneratedToken(0, id, piece, null));
                }, call::reason);
        String rest = decoder.finish();
        text.append(rest);
        listener.finished(new TextEnd(0, rest, outcome.reason()));
        return new GenerationResult(start.ids().clone(), outcome.ids(), text.toString(), outcome.reason(),
                outcome.timing());
    }

    private GenerationResult resample(MaskedLoop loop, EncoderInput start, MaskGenerationOptions options,
            long randomSeed, TokenListener listener, Call call) {
        int[] masks = IntStream.generate(() -> maskId).limit(options.maxNewTokens()).toArray();
        EncoderInput whole = start.insertBeforeLast(separatorId, masks);
        if (whole.length() > model.config().contextLength()) {
            throw new PromptTooLongException("the text has " + start.length()
                    + " tokens with special ones and " + masks.length
                    + " are to be written; the model's context length is "
                    + model.config().contextLength());
        }
        int[] positions = whole.positionsOf(maskId);
        if (positions.length == 0) {
            positions = IntStream.range(0, whole.length())
                    .filter(i -> whole.attentionMask()[i] == 1 && !encoder.isFrame(whole.ids()[i])).toArray();
        }
        if (positions.length == 0) {
            throw new IllegalArgumentException("there is no text and no mask; expected tokens to write");
        }
        MaskedLoop.Outcome outcome = loop.resample(whole, positions, options.iterations(), options.order(),
                randomSeed, options.resampler(randomSeed), id -> listener.token(new GeneratedToken(0, id, "", null)),
                call::reason);
        int[] ids = IntStream.of(outcome.input().ids()).filter(id -> !tokenizer.isSpecial(id)).toArray();
        listener.finished(new TextEnd(0, "", outcome.reason()));
        return new GenerationResult(start.ids().clone(), ids, tokenizer.decode(ids, true), outcome.reason(),
                outcome.timing());
    }

    private int[] stopTokens(MaskGenerationOptions options) {
        List<String> tokens = options.stopTokens();
        return tokens.stream().mapToInt(token -> tokenizer.id(token).orElseThrow(() -> new IllegalArgumentException(
                "the stop token \"" + token + "\" is not in the vocabulary"))).sorted().toArray();
    }

    private int[] specialTokens() {
        return IntStream.range(0, tokenizer.vocabularySize()).filter(tokenizer::isSpecial).toArray();
    }
}
