package org.vecformer.engine.cache;

import org.vecformer.engine.tensor.KeyValuePages;

/**
 * One text in a session's cache: the positions that the model has seen. Forks share what they have in common. Not
 * thread-safe, as its session.
 */
public final class Sequence implements AutoCloseable {

    private final KeyValueCache cache;
    final int[] pages;
    int pageCount;
    /** What {@link KeyValueCache#reserve(Sequence[], int[], int)} goes back to. */
    int pagesBefore;
    int length;
    private boolean closed;

    Sequence(KeyValueCache cache, int mostPages) {
        this.cache = cache;
        pages = new int[mostPages];
    }

    /** How many positions the model has seen. */
    public int length() {
        return length;
    }

    /** Forgets all positions from {@code length} on. */
    public void truncate(int length) {
        checkOpen(cache);
        if (length < 0 || length > this.length) {
            throw new IllegalArgumentException(
                    "cannot truncate a sequence of " + this.length + " positions to " + length);
        }
        this.length = length;
        cache.shrink(this, Math.ceilDiv(length, KeyValuePages.POSITIONS));
    }

    /** A second sequence with the same past, which shares its memory until one of the two goes on. */
    public Sequence fork() {
        checkOpen(cache);
        return cache.fork(this);
    }

    /** For the session: the pages, in order of position. */
    public int[] pageTable() {
        return pages;
    }

    /** For the session: {@code count} more positions have been computed, in room that was reserved. */
    public void advance(int count) {
        length += count;
    }

    void checkOpen(KeyValueCache expected) {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
        if (cache != expected) {
            throw new IllegalArgumentException("the sequence belongs to another session");
        }
    }

    /** Gives the memory back. A second call does nothing. */
    @Override
    public void close() {
        if (!closed) {
            cache.shrink(this, 0);
            length = 0;
            closed = true;
        }
    }
}
