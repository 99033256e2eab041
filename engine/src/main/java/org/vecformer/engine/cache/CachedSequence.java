package org.vecformer.engine.cache;

import org.vecformer.engine.Sequence;
import org.vecformer.engine.tensor.KeyValueMemory;

/** A sequence with its pages in a {@link KeyValueCache}. */
public final class CachedSequence implements Sequence {

    private final KeyValueCache cache;
    final int[] pages;
    int pageCount;
    /** What {@link KeyValueCache#reserve(CachedSequence[], int[], int)} goes back to. */
    int pagesBefore;
    int length;
    private boolean closed;

    CachedSequence(KeyValueCache cache, int mostPages) {
        this.cache = cache;
        pages = new int[mostPages];
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void truncate(int length) {
        checkOpen(cache);
        if (length < 0 || length > this.length) {
            throw new IllegalArgumentException(
                    "cannot truncate a sequence of " + this.length + " positions to " + length);
        }
        this.length = length;
        cache.shrink(this, Math.ceilDiv(length, KeyValueMemory.POSITIONS));
    }

    @Override
    public CachedSequence fork() {
        checkOpen(cache);
        return cache.fork(this);
    }

    /** The pages, in order of position. */
    public int[] pageTable() {
        return pages;
    }

    /** {@code count} more positions have been computed, in room that was reserved. */
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

    @Override
    public void close() {
        if (!closed) {
            cache.shrink(this, 0);
            length = 0;
            closed = true;
        }
    }
}
