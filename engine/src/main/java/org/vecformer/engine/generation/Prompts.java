package org.vecformer.engine.generation;

import java.util.Arrays;
import org.vecformer.engine.model.Gpt;
import org.vecformer.loader.GptConfig;
import org.vecformer.tokenizer.Tokenizer;

/**
 * What a model's prompts may be: from texts to token ids that it can go on from. Thread-safe.
 *
 * @param tokenizer the model's; null if prompts are given as ids
 */
public record Prompts(Gpt model, Tokenizer tokenizer) {

    /**
     * The token ids of a text. An empty one is the model's begin token.
     *
     * @throws IllegalStateException    without a tokenizer
     * @throws IllegalArgumentException for an empty text, if the model has no begin token
     */
    public int[] ids(String text) {
        if (tokenizer == null) {
            throw new IllegalStateException("there is no tokenizer: give the prompt as token ids");
        }
        int[] ids = tokenizer.ids(text);
        if (ids.length == 0) {
            ids = new int[]{model.config().bosTokenId().orElseThrow(() -> new IllegalArgumentException(
                    "the prompt has no tokens and the model's config names no bos_token_id to begin with"))};
        }
        return ids;
    }

    /**
     * A copy of a prompt, or of its end if it is too long and may be truncated: new tokens get the room that was asked
     * for, but half the context at most.
     *
     * @throws PromptTooLongException   if the prompt leaves no room for a new token and {@code truncatePrompt} is off
     * @throws IllegalArgumentException for an empty prompt or an id outside the vocabulary
     */
    public int[] fit(int[] prompt, GenerationOptions options) {
        GptConfig config = model.config();
        int context = config.contextLength();
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens; expected at least one");
        }
        // Here, because a prompt that is dropped in part or not continued never gets to the model as a whole.
        for (int id : prompt) {
            if (id < 0 || id >= config.vocabularySize()) {
                throw new IllegalArgumentException("the prompt has the token id " + id
                        + "; the model's vocabulary has ids 0 to " + (config.vocabularySize() - 1));
            }
        }
        if (prompt.length < context || (prompt.length == context && options.stopping().maxNewTokens().orElse(1) == 0)) {
            return prompt.clone();
        }
        if (!options.truncatePrompt()) {
            throw new PromptTooLongException(
                    "the prompt has " + prompt.length + " tokens, the model's context length is " + context
                            + ": at most " + (context - 1)
                            + " fit with a new token behind them; shorten it or ask for truncation");
        }
        int room = Math.clamp(options.stopping().maxNewTokens().orElse(context / 2), 1, Math.max(1, context / 2));
        return Arrays.copyOfRange(prompt, prompt.length - (context - room), prompt.length);
    }
}
