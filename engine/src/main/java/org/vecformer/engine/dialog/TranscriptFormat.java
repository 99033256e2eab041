package org.vecformer.engine.dialog;

import java.util.List;
import java.util.stream.IntStream;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A dialog as a story tells it, for a language model that was trained on plain text: a line for each utterance, and the
 * persona as what the one who replies has said of himself before.
 *
 * <pre>{@code
 * Tom said, "I like football. I am from NYC."
 * Lily said, "Hello, how are you?"
 * Tom said, "
 * }</pre>
 *
 * The reply ends with its quotation mark, or with the line. Of the templates that were tried on a small model of stories
 * this one gives replies that end soonest and answer most often; lines such as {@code Tom: Hello} are rare in books.
 * <p>
 * Each line is cut into tokens by itself, so that a dialog begins with the tokens of the dialog before. White space and
 * control characters within an utterance become a space, double quotation marks single ones, and special tokens are left
 * out, so that nobody speaks for another one.
 */
public final class TranscriptFormat implements DialogFormat {

    /** Who replies. */
    private static final String NAME = "Tom";
    /** Whom he talks with. */
    private static final String PARTNER = "Lily";
    private static final String SAID = " said, \"";
    private static final String QUOTE = "\"";
    private static final String NEW_LINE = "\n";

    private final Tokenizer tokenizer;
    private final List<Integer> endTokens;

    /** @param modelEnds what ends a text, as the model's config says */
    TranscriptFormat(List<Integer> modelEnds, Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        IntStream ending = IntStream.range(0, tokenizer.vocabularySize())
                .filter(id -> tokenizer.contains(id) && endsAtOnce(tokenizer.decode(new int[]{id})));
        endTokens = IntStream.concat(ending, IntStream.concat(tokenizer.endOfText().stream(),
                modelEnds.stream().mapToInt(Integer::intValue))).distinct().boxed().toList();
    }

    /** Whether a token ends a reply to which it adds nothing. */
    private static boolean endsAtOnce(String token) {
        String rest = token.stripLeading();
        return rest.startsWith(QUOTE) || rest.isEmpty() && token.contains(NEW_LINE);
    }

    @Override
    public DialogInput prompt(Dialog dialog, int room) {
        List<String> history = dialog.history();
        String persona = String.join(" ", dialog.persona());
        DialogParts parts = DialogParts.fitting(persona.isBlank() ? new int[0] : line(NAME, persona), history.size(),
                distance -> line(distance % 2 == 0 ? NAME : PARTNER, history.get(history.size() - distance)),
                ids(NAME + SAID), room);
        return new DialogInput(parts.ids(), null, parts.ids().length, parts.utterances().size());
    }

    private int[] line(String name, String utterance) {
        return ids(name + SAID + plain(utterance) + QUOTE + NEW_LINE);
    }

    @Override
    public int[] reply(String reply, boolean end) {
        return ids(end ? plain(reply) + QUOTE : plain(reply));
    }

    /** A text without what has a meaning here. */
    private static String plain(String text) {
        return text.replaceAll("[\\s\\p{Cntrl}\\u2028\\u2029]+", " ").strip().replace(QUOTE, "'");
    }

    private int[] ids(String text) {
        return IntStream.of(tokenizer.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids())
                .filter(id -> !tokenizer.isSpecial(id)).toArray();
    }

    @Override
    public List<Integer> endTokens() {
        return endTokens;
    }

    @Override
    public List<String> stopTexts() {
        return List.of(QUOTE, NEW_LINE);
    }

    @Override
    public String description() {
        return "a transcript (" + NAME + SAID + "...\")";
    }
}
