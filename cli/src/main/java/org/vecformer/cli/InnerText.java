package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/** Texts that are looked for inside of others, as tokens. */
final class InnerText {
    private InnerText() {
    }

    /** The ids of a text as it stands, without the special tokens that a whole text gets. */
    static int[] ids(Tokenizer tokenizer, String text) {
        return tokenizer.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids();
    }

    /**
     * The ids of a text as it stands and, unless it begins with white space, of the text behind a space: GPT-2 has other
     * tokens for a word inside of a sentence.
     */
    static List<int[]> spellings(Tokenizer tokenizer, String text) {
        List<int[]> spellings = new ArrayList<>();
        spellings.add(ids(tokenizer, text));
        if (!text.isEmpty() && !Character.isWhitespace(text.charAt(0))) {
            spellings.add(ids(tokenizer, " " + text));
        }
        return spellings;
    }
}
