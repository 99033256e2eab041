package org.vecformer.bench;

import java.util.List;

/**
 * An encoder under measurement: token ids in, a vector for each sequence out, which is the mean of the last hidden states
 * scaled to length 1. For one thread.
 */
interface SentenceEncoder extends AutoCloseable {

    /** What it computes with, which says how it may be compared. */
    enum Arithmetic {
        /** float32 all along: the vectors must be those of every other such encoder. */
        FLOAT32,
        /** Weights of 16 bits and less, computed in float32. */
        ROUNDED_WEIGHTS,
        /** Integers, of which the multiply-add peak says nothing. */
        INTEGER
    }

    String name();

    Arithmetic arithmetic();

    /** Makes a batch ready to be encoded again and again. */
    Prepared prepare(List<int[]> sequences);

    /** A batch of sequences. */
    interface Prepared extends AutoCloseable {

        /** Encodes the batch; the next call overwrites the vectors. */
        float[][] encode();

        @Override
        void close();
    }

    @Override
    void close();
}
