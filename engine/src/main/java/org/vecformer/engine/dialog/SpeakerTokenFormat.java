package org.vecformer.engine.dialog;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * The input of Hugging Face's conversational agent (Wolf et al. 2019, arXiv 1901.08149; {@code
 * build_input_from_segments} in github.com/huggingface/transfer-learning-conv-ai, train.py), for a model that was trained
 * on it.
 * <p>
 * A dialog is blocks: {@code <bos>} with all sentences of the persona, each utterance of the history, the reply with
 * {@code <eos>}. Every block but the first begins with its speaker's token, which alternate so that the reply's is
 * {@code <speaker1>}. All tokens of a block have the same type: {@code <speaker1>} in the first block, {@code <speaker2>}
 * in the second, and so on. Where the history has an odd number of utterances, as it has in that training, type and
 * speaker's token agree.
 *
 * <pre>{@code
 * <bos> i like football . i am from NYC . <speaker2> hello how are you ? <speaker1> i am fine thanks . <eos>
 * }</pre>
 *
 * Each sentence is cut into tokens by itself. A special token that somebody spells out in a text is left out of it, so
 * that nobody speaks for another one.
 */
public final class SpeakerTokenFormat implements DialogFormat {

    private static final String BEGIN = "<bos>";
    private static final String END = "<eos>";
    private static final String SPEAKER_1 = "<speaker1>";
    private static final String SPEAKER_2 = "<speaker2>";
    private static final String PADDING = "<pad>";

    private final Tokenizer tokenizer;
    private final int begin;
    private final int end;
    private final int speaker1;
    private final int speaker2;
    private final List<Integer> delimiters;

    /**
     * @param embeddings for how many ids the model has one
     * @throws IllegalArgumentException if the tokenizer lacks a delimiter, or the model its embedding
     */
    SpeakerTokenFormat(int embeddings, Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        begin = delimiter(embeddings, tokenizer, BEGIN);
        end = delimiter(embeddings, tokenizer, END);
        speaker1 = delimiter(embeddings, tokenizer, SPEAKER_1);
        speaker2 = delimiter(embeddings, tokenizer, SPEAKER_2);
        delimiters = IntStream.concat(IntStream.of(begin, end, speaker1, speaker2), tokenizer.id(PADDING).stream())
                .boxed().toList();
    }

    /** Whether a tokenizer has the tokens that this format needs. */
    static boolean isFor(Tokenizer tokenizer) {
        return Stream.of(BEGIN, END, SPEAKER_1, SPEAKER_2).allMatch(token -> tokenizer.id(token).isPresent());
    }

    private static int delimiter(int embeddings, Tokenizer tokenizer, String token) {
        int id = tokenizer.id(token).orElseThrow(
                () -> new IllegalArgumentException("the tokenizer has no token " + token + ", which dialogs need"));
        if (id >= embeddings) {
            throw new IllegalArgumentException("the tokenizer's " + token + " has the id " + id
                    + "; the model has embeddings for ids 0 to " + (embeddings - 1));
        }
        return id;
    }

    @Override
    public DialogInput prompt(Dialog dialog, int room) {
        List<String> history = dialog.history();
        int[] persona = dialog.persona().stream().map(this::ids).flatMapToInt(Arrays::stream).toArray();
        DialogParts parts = DialogParts.fitting(behind(begin, persona), history.size(),
                distance -> behind(distance % 2 == 0 ? speaker1 : speaker2,
                        ids(history.get(history.size() - distance))),
                new int[]{speaker1}, room);
        return new DialogInput(parts.ids(), types(parts.blocks()), parts.ids().length, parts.utterances().size());
    }

    /** Those of all tokens of a block are the same, and alternate from block to block. */
    private int[] types(List<int[]> blocks) {
        return IntStream.range(0, blocks.size()).flatMap(block -> IntStream.range(0, blocks.get(block).length)
                .map(_ -> block % 2 == 0 ? speaker1 : speaker2)).toArray();
    }

    private static int[] behind(int first, int[] ids) {
        return IntStream.concat(IntStream.of(first), IntStream.of(ids)).toArray();
    }

    @Override
    public int[] reply(String reply, boolean end) {
        return end ? IntStream.concat(IntStream.of(ids(reply)), IntStream.of(this.end)).toArray() : ids(reply);
    }

    private int[] ids(String text) {
        return IntStream.of(tokenizer.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids())
                .filter(id -> !delimiters.contains(id)).toArray();
    }

    /** All delimiters: the one who writes another one than {@code <eos>} has nothing more to say either. */
    @Override
    public List<Integer> endTokens() {
        return delimiters;
    }

    @Override
    public List<String> stopTexts() {
        return List.of();
    }

    @Override
    public String description() {
        return "<speaker1> and <speaker2>, as the model was trained";
    }
}
