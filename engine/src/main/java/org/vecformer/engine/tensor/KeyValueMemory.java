package org.vecformer.engine.tensor;

/**
 * The memory of a key/value cache, in the session's backend, cut into pages of {@link #POSITIONS} token positions. Which
 * page belongs to whom is the business of its owner.
 */
public interface KeyValueMemory {

    /** Token positions of a page; the width of a panel. */
    int POSITIONS = Tensor.PANEL;

    /** How many pages there are. */
    int pages();

    /** Bytes of a page, all layers and heads. */
    long pageBytes();

    /** Makes sure that a page has its memory. */
    void commit(int page);

    /** Copies a page, all layers and heads, over another one. */
    void copy(int from, int to);
}
