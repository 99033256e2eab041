package org.vecformer.engine.dialog;

import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.model.Gpt;
import org.vecformer.tokenizer.Tokenizer;

/** How a dialog becomes the tokens of a GPT. Immutable and thread-safe. */
public sealed interface DialogFormat permits SpeakerTokenFormat, TranscriptFormat {

    /**
     * The format that a model understands: speaker tokens if its tokenizer has them, else a transcript.
     *
     * @throws IllegalArgumentException if the tokenizer has speaker tokens for which the model has no embeddings
     */
    static DialogFormat of(Gpt model, Tokenizer tokenizer) {
        return SpeakerTokenFormat.isFor(tokenizer)
                ? new SpeakerTokenFormat(model.config().vocabularySize(), tokenizer)
                : new TranscriptFormat(model.config().eosTokenIds(), tokenizer);
    }

    /**
     * A dialog up to where its reply begins. The oldest utterances for which there is no room are left out, the persona
     * never.
     *
     * @param room the most tokens
     * @throws PromptTooLongException if persona and last utterance have more
     */
    DialogInput prompt(Dialog dialog, int room);

    /**
     * The tokens of a reply, as they stand behind a {@link #prompt}.
     *
     * @param end whether the token that ends it belongs to them
     */
    int[] reply(String reply, boolean end);

    /**
     * A dialog with its reply.
     *
     * @param end  whether the token that ends the reply is there
     * @param room the most tokens of the whole
     * @throws PromptTooLongException if persona, last utterance and reply have more
     */
    default DialogInput withReply(Dialog dialog, String reply, boolean end, int room) {
        int[] replyIds = reply(reply, end);
        DialogInput prompt = prompt(dialog, room - replyIds.length);
        int start = prompt.ids().length;
        int[] ids = Arrays.copyOf(prompt.ids(), start + replyIds.length);
        System.arraycopy(replyIds, 0, ids, start, replyIds.length);
        int[] types = null;
        if (prompt.types() != null) {
            types = Arrays.copyOf(prompt.types(), ids.length);
            Arrays.fill(types, start, ids.length, prompt.replyType());
        }
        return new DialogInput(ids, types, start, prompt.utterances());
    }

    /** Tokens that end a reply; none of them is a part of its text. */
    List<Integer> endTokens();

    /** Texts that end a reply; none of them is a part of its text. */
    List<String> stopTexts();

    /** In a few words, for the user. */
    String description();
}
