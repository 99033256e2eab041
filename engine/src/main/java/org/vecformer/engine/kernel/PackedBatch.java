package org.vecformer.engine.kernel;

/**
 * Which rows belong to which sequence: sequences of different lengths, packed end to end without padding. Filled anew
 * for each step; the arrays are as long as the most sequences a step may have and only the first {@code sequences}
 * entries count.
 */
public final class PackedBatch {

    /** Sequences in this step. */
    public int sequences;
    /** Row where a sequence starts; {@code starts[sequences]} is the number of rows. */
    public final int[] starts;
    /** Positions that a sequence has in the cache already: its first row's position. */
    public final int[] past;
    /**
     * Positions that every row of the sequence attends to, as an encoder has it; 0 where each row attends to those up
     * to its own, as a decoder has it.
     */
    public final int[] seenByAll;
    /** The sequence's cache pages; page {@code p} holds positions 32 p to 32 p + 31. */
    public final int[][] pages;

    /** A batch of no sequences with room for {@code capacity}. */
    public PackedBatch(int capacity) {
        starts = new int[capacity + 1];
        past = new int[capacity];
        seenByAll = new int[capacity];
        pages = new int[capacity][];
    }

    /** Rows in this step. */
    public int rows() {
        return starts[sequences];
    }
}
