package org.vecformer.engine.dialog;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.MaskStrategy;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.task.MaskGenerator;
import org.vecformer.engine.task.NextSentence;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Answers with a BERT that was never trained to, by its masks: "zero-shot chit-chat" of DeepPavlov's "Chit-chat
 * Transformers Tutorial" (github.com/text-machine-lab/ciss2_materials). A turn begins with a dash, as in novels; the first
 * text is the persona and all turns so far, the second one a dash, behind which masks are filled until one of {@code . ? !}.
 *
 * <pre>{@code
 * [CLS] i like football. - hello, how are you? [SEP] - [MASK] [MASK] [MASK] [SEP]
 * }</pre>
 *
 * The next-sentence head ranks, if the model has it. A special token that somebody spells out in a text is left out.
 */
public final class BertPartner implements ChatPartner {

    private static final String TURN = "- ";
    private static final List<String> SENTENCE_ENDS = List.of(".", "?", "!");
    /** As in the tutorial: with one BERT would end the sentence at once. */
    private static final int MASKS = 3;

    private final Bert model;
    private final Tokenizer tokenizer;
    private final MaskGenerationOptions masks;
    private final MaskGenerator generator;
    /** Null if the model lacks the head. */
    private final NextSentence nextSentence;

    private BertPartner(Bert model, Tokenizer tokenizer, MaskGenerationOptions masks, MaskGenerator generator,
            NextSentence nextSentence) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.masks = masks;
        this.generator = generator;
        this.nextSentence = nextSentence;
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static BertPartner open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * Opens a partner that looks three masks ahead, as in the tutorial.
     *
     * @throws IllegalArgumentException if the model has no masked-LM head, or the tokenizer no mask, separator or
     *                                  classification token
     */
    public static BertPartner open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, MaskStrategy.SEQUENTIAL, MASKS);
    }

    /**
     * Opens a partner.
     *
     * @param strategy {@link MaskStrategy#SEQUENTIAL} or {@link MaskStrategy#APPEND}
     * @param masks    how many masks the first one looks ahead
     * @throws IllegalArgumentException as {@link #open(Bert, Tokenizer)}, or for another strategy
     */
    public static BertPartner open(Bert model, Tokenizer tokenizer, MaskStrategy strategy, int masks) {
        if (strategy == MaskStrategy.GIBBS) {
            throw new IllegalArgumentException(
                    "the mask strategy is " + strategy + "; a reply is written from left to right: expected "
                            + MaskStrategy.SEQUENTIAL + " or " + MaskStrategy.APPEND);
        }
        if (tokenizer.classification().isEmpty()) {
            throw new IllegalArgumentException("the tokenizer has no classification token; expected a BERT's");
        }
        MaskGenerationOptions options = MaskGenerationOptions.sequential().withStrategy(strategy)
                .withMasks(strategy == MaskStrategy.APPEND ? 1 : masks).withStopTokens(SENTENCE_ENDS.stream()
                        .filter(end -> tokenizer.id(end).isPresent()).toArray(String[]::new));
        MaskGenerator generator = MaskGenerator.open(model, tokenizer);
        try {
            return new BertPartner(model, tokenizer, options, generator,
                    model.has(Bert.Head.NEXT_SENTENCE) ? NextSentence.open(model, tokenizer) : null);
        } catch (RuntimeException | Error e) {
            generator.close();
            throw e;
        }
    }

    @Override
    public GenerationResult reply(Dialog dialog, ReplyOptions options, TokenListener listener,
            Cancellation cancellation) {
        // The last token is written where the first mask is, with the others behind it.
        long written = options.maxNewTokens() - 1L + masks.masks();
        EncoderInput start = input(parts(dialog.lastTurns(options.historyTurns()),
                (int) Math.min(written, model.config().contextLength())));
        TrimmedText text = new TrimmedText(listener);
        return text.of(generator.generate(TaskInput.of(start), options.masked(masks, tokenizer), text,
                cancellation));
    }

    @Override
    public List<RankedReply> rank(Dialog dialog, List<String> candidates, int historyTurns,
            Cancellation cancellation) {
        if (nextSentence == null) {
            throw new UnsupportedOperationException(
                    "the model has no next-sentence head, by which a BERT ranks replies");
        }
        List<int[]> replies = candidates.stream().map(this::ids).toList();
        DialogParts parts = parts(dialog.lastTurns(historyTurns),
                replies.stream().mapToInt(reply -> reply.length).max().orElse(0));
        List<NextSentence.Score> scores = nextSentence.scoreAll(
                replies.stream().map(reply -> TaskInput.of(input(parts, reply))).toList(), TaskProgress.NONE,
                cancellation);
        return RankedReply.ranked(candidates,
                scores.stream().mapToDouble(score -> score.isNext() - score.isRandom()).toArray());
    }

    /** What fits beside a reply of so many tokens. */
    private DialogParts parts(Dialog dialog, int reply) {
        List<String> history = dialog.history();
        int[] persona = ids(String.join(" ", dialog.persona()));
        return DialogParts.fitting(joined(classification(), persona), history.size(),
                distance -> ids(TURN + history.get(history.size() - distance)), joined(separator(), ids(TURN)),
                model.config().contextLength() - reply - 1);
    }

    /** The dialog as a pair of texts, the second of which ends with these tokens. */
    private EncoderInput input(DialogParts parts, int... reply) {
        int[] ids = joined(joined(parts.ids(), reply), separator());
        int second = parts.ids().length - parts.opening().length + 1;
        int[] types = new int[ids.length];
        if (model.config().typeVocabularySize() > 1) {
            Arrays.fill(types, second, types.length, 1);
        }
        return new EncoderInput(ids, types, null);
    }

    private int classification() {
        return tokenizer.classification().getAsInt();
    }

    private int separator() {
        return tokenizer.separator().getAsInt();
    }

    private static int[] joined(int first, int[] ids) {
        return joined(new int[]{first}, ids);
    }

    private static int[] joined(int[] first, int... second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    private int[] ids(String text) {
        int unknown = tokenizer.unknown().orElse(-1);
        return IntStream.of(tokenizer.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids())
                .filter(id -> id == unknown || !tokenizer.isSpecial(id)).toArray();
    }

    @Override
    public String description() {
        return "writes replies by masks behind a dash; "
                + (nextSentence == null ? "cannot rank any" : "ranks them by the next-sentence head");
    }

    @Override
    public void cancel() {
        generator.cancel();
        if (nextSentence != null) {
            nextSentence.cancel();
        }
    }

    @Override
    public void close() {
        generator.close();
        if (nextSentence != null) {
            nextSentence.close();
        }
    }
}
