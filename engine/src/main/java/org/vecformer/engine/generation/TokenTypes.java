package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.Objects;

/**
 * What kind of token each one is: ids of the vocabulary, whose embeddings are added to those of the tokens, such as the
 * speaker of each part of a dialog. They are Hugging Face's {@code token_type_ids} of GPT models, whose {@code generate}
 * gives what it writes the type of the prompt's last token.
 *
 * @param prompt    of each token of the prompt
 * @param generated of each token that is written
 */
public record TokenTypes(int[] prompt, int generated) {

    public TokenTypes {
        Objects.requireNonNull(prompt, "prompt");
    }

    /** One for each token that there may be in the end. */
    int[] upTo(int bound) {
        int[] types = Arrays.copyOf(prompt, bound);
        Arrays.fill(types, prompt.length, bound, generated);
        return types;
    }

    /** @throws IllegalArgumentException if these are not the types of a prompt of so many tokens */
    void check(int promptLength, int vocabularySize) {
        if (prompt.length != promptLength) {
            throw new IllegalArgumentException(
                    prompt.length + " token types for a prompt of " + promptLength + " tokens; expected as many");
        }
        for (int type : upTo(promptLength + 1)) {
            if (type < 0 || type >= vocabularySize) {
                throw new IllegalArgumentException("the token type " + type
                        + "; expected an id of the model's vocabulary, 0 to " + (vocabularySize - 1));
            }
        }
    }
}
