package org.vecformer.engine.task;

/**
 * What an {@link Embedder} does with a text of more tokens than fit: see {@link EmbedderOptions#maxLength}. Inputs that
 * are token ids already are never changed: too long ones can only be refused, here or by the model.
 */
public enum LongTexts {
    /** The text is cut at its end, as sentence-transformers does it, and {@link Embedding#truncated} says so. */
    TRUNCATE,
    /**
     * The text is cut into windows, one behind the other, each with the special tokens and the prompt around it. Their
     * vectors v are averaged, weighted by the number n of the text's tokens in each: {@code sum(n v) / sum(n)}, which is
     * scaled to length 1 if vectors are to be normalized. A window's v is all that the options say, dense layers and
     * normalization included; that of a text which fits is its vector.
     * <p>
     * Source: "Embedding texts that are longer than the model's maximum context length" (OpenAI cookbook, 2022), whose
     * vectors are normalized ones. Pairs of texts cannot be split.
     */
    SPLIT,
    /** The text is an error: {@link TextTooLongException}. */
    REFUSE
}
