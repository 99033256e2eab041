package org.vecformer.engine.cache;

import java.util.Arrays;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.tensor.KeyValueMemory;

/**
 * The keys and values of a session's sequences: a fixed number of pages of 32 positions, which sequences take as they
 * grow and share after a fork. A page that is shared is copied when one of its sequences writes to it.
 * <p>
 * Its memory is bounded by its capacity; on the CPU it is taken from the system page by page when a page is first used.
 * Not thread-safe.
 */
public final class KeyValueCache {

    private final KeyValueMemory memory;
    private final int contextLength;
    private final int[] users;
    private final int[] free;
    private int freePages;

    /**
     * A cache that takes its pages from this memory.
     *
     * @param contextLength the most positions of one sequence
     */
    public KeyValueCache(KeyValueMemory memory, int contextLength) {
        this.memory = memory;
        this.contextLength = contextLength;
        int count = memory.pages();
        users = new int[count];
        free = new int[count];
        for (int i = 0; i < count; i++) {
            free[i] = count - 1 - i;
        }
        freePages = count;
    }

    /** The memory, for the kernels. */
    public KeyValueMemory memory() {
        return memory;
    }

    /** Bytes that the cache takes when all its pages are in use. */
    public long byteSize() {
        return users.length * memory.pageBytes();
    }

    /** Positions that all sequences together may hold. */
    public long positions() {
        return (long) users.length * KeyValueMemory.POSITIONS;
    }

    /** Positions that can still be appended to sequences that end at a page's end. */
    public long freePositions() {
        return (long) freePages * KeyValueMemory.POSITIONS;
    }

    /** An empty sequence; it takes pages when it grows. */
    public CachedSequence newSequence() {
        return new CachedSequence(this, Math.ceilDiv(contextLength, KeyValueMemory.POSITIONS));
    }

    /**
     * Makes room for positions {@code sequence.length()} to {@code length - 1}, all or nothing.
     *
     * @throws CacheFullException when there are not enough free pages; the sequence is as before
     */
    public void reserve(CachedSequence sequence, int length) {
        sequence.checkOpen(this);
        if (length > contextLength) {
            throw new IllegalArgumentException(
                    "a sequence of " + length + " positions; the model's context length is " + contextLength);
        }
        int have = sequence.pageCount;
        int need = Math.ceilDiv(length, KeyValueMemory.POSITIONS);
        boolean unshare = length > sequence.length && sequence.length % KeyValueMemory.POSITIONS != 0
                && users[sequence.pages[sequence.length / KeyValueMemory.POSITIONS]] > 1;
        int taken = Math.max(0, need - have) + (unshare ? 1 : 0);
        if (taken > freePages) {
            throw new CacheFullException("the key/value cache has room for "
                    + (long) users.length * KeyValueMemory.POSITIONS
                    + " positions, " + freePositions() + " of them free; " + (long) taken * KeyValueMemory.POSITIONS
                    + " more are needed: open the session with a larger cache");
        }
        if (unshare) {
            int last = sequence.length / KeyValueMemory.POSITIONS;
            int copy = take();
            memory.copy(sequence.pages[last], copy);
            release(sequence.pages[last]);
            sequence.pages[last] = copy;
        }
        for (int i = have; i < need; i++) {
            sequence.pages[i] = take();
            sequence.pageCount = i + 1;
        }
    }

    /**
     * Makes room in several sequences, all or nothing: what they had before, they keep.
     *
     * @param starts sequence i is to grow by {@code starts[i + 1] - starts[i]} positions
     * @throws CacheFullException when there are not enough free pages
     */
    public void reserve(CachedSequence[] sequences, int[] starts, int count) {
        int done = 0;
        try {
            for (; done < count; done++) {
                CachedSequence sequence = sequences[done];
                sequence.pagesBefore = sequence.pageCount;
                reserve(sequence, sequence.length + starts[done + 1] - starts[done]);
            }
        } catch (RuntimeException | Error e) {
            for (int i = 0; i < done; i++) {
                shrink(sequences[i], sequences[i].pagesBefore);
            }
            throw e;
        }
    }

    /** @throws IllegalArgumentException if the sequence is of another cache; IllegalStateException if it is closed */
    public void checkOwns(CachedSequence sequence) {
        sequence.checkOpen(this);
    }

    CachedSequence fork(CachedSequence original) {
        CachedSequence copy = newSequence();
        copy.length = original.length;
        copy.pageCount = Math.ceilDiv(original.length, KeyValueMemory.POSITIONS);
        System.arraycopy(original.pages, 0, copy.pages, 0, copy.pageCount);
        for (int i = 0; i < copy.pageCount; i++) {
            users[copy.pages[i]]++;
        }
        return copy;
    }

    /** Gives back the pages from the {@code kept}-th on. */
    void shrink(CachedSequence sequence, int kept) {
        for (int i = kept; i < sequence.pageCount; i++) {
            release(sequence.pages[i]);
        }
        Arrays.fill(sequence.pages, kept, Math.max(kept, sequence.pageCount), -1);
        sequence.pageCount = Math.min(kept, sequence.pageCount);
    }

    private int take() {
        int page = free[freePages - 1];
        memory.commit(page);
        freePages--;
        users[page] = 1;
        return page;
    }

    private void release(int page) {
        if (--users[page] == 0) {
            free[freePages++] = page;
        }
    }
}
