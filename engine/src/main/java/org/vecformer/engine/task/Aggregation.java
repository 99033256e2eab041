package org.vecformer.engine.task;

/**
 * How the labels of tokens become entities: the strategies of Hugging Face's token-classification pipeline. All but
 * {@link #NONE} join neighbours of the same entity type; a label {@code B-...} begins a new entity.
 */
public enum Aggregation {
    /** Each token by itself. */
    NONE,
    /** Tokens are joined as they are: an entity may begin or end within a word. */
    SIMPLE,
    /** A word has the label of its first token. */
    FIRST,
    /** A word has the label with the best mean over its tokens. */
    AVERAGE,
    /** A word has the label of the token that has the best score. */
    MAX
}
