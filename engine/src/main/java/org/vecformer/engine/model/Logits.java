package org.vecformer.engine.model;

/** Which of a sequence's rows in a batch get logits. */
public enum Logits {
    /** None: the rows only fill the cache. */
    NONE,
    /** The last row: enough to choose the next token. */
    LAST,
    /** Every row: for scoring. */
    ALL
}
