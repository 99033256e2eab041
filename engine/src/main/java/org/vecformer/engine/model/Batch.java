package org.vecformer.engine.model;

import java.util.Arrays;
import java.util.Objects;
import org.vecformer.engine.cache.Sequence;
import org.vecformer.engine.kernel.PackedBatch;

/**
 * The tokens of one step: for each of several sequences the ids that follow what it holds, packed end to end. A session's
 * batch is filled, given to {@link Session#step}, cleared and filled again. Not thread-safe.
 */
public final class Batch {

    private final Session session;
    final PackedBatch packed;
    final Sequence[] sequences;
    final int[] ids;
    final int[] positions;
    final int[] wanted;
    int wantedCount;

    Batch(Session session, int capacity) {
        this.session = session;
        packed = new PackedBatch(capacity);
        sequences = new Sequence[capacity];
        ids = new int[capacity];
        positions = new int[capacity];
        wanted = new int[capacity];
    }

    /** Takes everything out. */
    public void clear() {
        Arrays.fill(sequences, 0, packed.sequences, null);
        Arrays.fill(packed.pages, 0, packed.sequences, null);
        packed.sequences = 0;
        wantedCount = 0;
    }

    /** Rows taken. */
    public int rows() {
        return packed.rows();
    }

    /** Rows that still fit. */
    public int room() {
        return ids.length - rows();
    }

    /**
     * Adds a sequence's next tokens.
     *
     * @param from index in {@code tokens} of the first one
     * @param to   index after the last one
     * @throws IllegalArgumentException for an id outside the vocabulary, more tokens than the batch has room for or the context
     *                                  length allows, or a sequence that is in the batch already
     */
    public void add(Sequence sequence, int[] tokens, int from, int to, Logits logits) {
        Objects.checkFromToIndex(from, to, tokens.length);
        int count = to - from;
        int row = rows();
        if (count < 1) {
            throw new IllegalArgumentException("a sequence must get at least one token in a batch");
        }
        if (count > ids.length - row) {
            throw new IllegalArgumentException(
                    count + " tokens for a batch with room for " + (ids.length - row) + " more");
        }
        session.check(sequence, count);
        for (int s = 0; s < packed.sequences; s++) {
            if (sequences[s] == sequence) {
                throw new IllegalArgumentException("the sequence is in this batch already");
            }
        }
        for (int i = from; i < to; i++) {
            session.checkToken(tokens[i]);
        }
        for (int i = 0; i < count; i++) {
            ids[row + i] = tokens[from + i];
            positions[row + i] = sequence.length() + i;
        }
        int s = packed.sequences++;
        sequences[s] = sequence;
        packed.past[s] = sequence.length();
        packed.pages[s] = sequence.pageTable();
        packed.starts[s] = row;
        packed.starts[s + 1] = row + count;
        switch (logits) {
            case NONE -> {
            }
            case LAST -> wanted[wantedCount++] = row + count - 1;
            case ALL -> {
                for (int i = 0; i < count; i++) {
                    wanted[wantedCount++] = row + i;
                }
            }
        }
    }
}
