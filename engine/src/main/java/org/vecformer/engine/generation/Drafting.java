package org.vecformer.engine.generation;

import java.util.Objects;
import org.vecformer.engine.model.Gpt;

/**
 * Guesses at the next tokens, which the model then checks in one step instead of many (speculative decoding). It changes
 * the speed, never the text: the model itself chooses each token, with the same numbers and the same random numbers as
 * without drafts, and a guess is kept only where it is what the model chose. So greedy text is the same, and drawn text
 * has the same distribution, and is even the same for the same seed. (Leviathan, Kalman and Matias 2022, arXiv
 * 2211.17192, accept more guesses of a draft model where the text may be another one of the same distribution.)
 */
public sealed interface Drafting {

    /**
     * What followed when the last tokens stood earlier in the text. (Saxena 2023,
     * github.com/apoorvumang/prompt-lookup-decoding; Hugging Face's {@code prompt_lookup_num_tokens}.)
     *
     * @param tokens   how many tokens are guessed at once
     * @param maxNgram how many of the last tokens are looked for; fewer if so many are not found
     */
    record PromptLookup(int tokens, int maxNgram) implements Drafting {
        public PromptLookup {
            requireAtLeastOne("number of tokens to look up", tokens);
            requireAtLeastOne("n-gram size of the lookup", maxNgram);
        }

        /** Looks for two tokens, as Hugging Face does. */
        public PromptLookup(int tokens) {
            this(tokens, 2);
        }
    }

    /**
     * What a smaller model of the same vocabulary writes, chosen in the same way with the same random numbers.
     *
     * @param model  stays the caller's: to be closed after the generator
     * @param tokens how many tokens are guessed at once
     */
    record DraftModel(Gpt model, int tokens) implements Drafting {
        public DraftModel {
            Objects.requireNonNull(model, "model");
            requireAtLeastOne("number of tokens to draft", tokens);
        }
    }

    /** How many tokens are guessed at once. */
    int tokens();

    private static void requireAtLeastOne(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("the " + what + " is " + value + "; expected 1 or more");
        }
    }
}
