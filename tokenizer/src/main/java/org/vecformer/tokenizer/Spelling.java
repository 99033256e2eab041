package org.vecformer.tokenizer;

/** The symbols that a word is before any of them merge. Immutable and thread-safe. */
sealed interface Spelling permits ByteSpelling, LetterSpelling {
    /** No character, as UTF-16 counts them, becomes more symbols. */
    int MOST_FOR_A_CHARACTER = 3;

    /**
     * How many symbols a word has.
     *
     * @throws ArithmeticException if they are more than an array holds
     */
    int count(char[] text, int start, int end);

    /** Writes the ids of the symbols, and returns how many there are. */
    int spell(char[] text, int start, int end, int[] symbols);
}
