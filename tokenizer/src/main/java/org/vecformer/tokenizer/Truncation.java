package org.vecformer.tokenizer;

/** What is cut where a text, or a pair of texts, is longer than {@link EncodingOptions#maxLength()}. */
public enum Truncation {
    /** Nothing: what is too long stays too long. */
    NONE,
    /** The longer text of a pair first; both evenly once they are equally long. */
    LONGEST_FIRST,
    /** The first text only. */
    ONLY_FIRST,
    /** The second text of a pair only; the context of a question, for example. */
    ONLY_SECOND
}
