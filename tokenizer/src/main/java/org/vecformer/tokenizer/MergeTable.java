package org.vecformer.tokenizer;

import java.util.Arrays;

/**
 * Which pairs of ids merge, in which order and into which id: an open-addressing hash table over {@code long} keys. A
 * merge is a {@code long} with the rank in its upper and the new id in its lower half, so that the smallest merge is
 * the one to do first.
 */
final class MergeTable {
    /** No merge; larger than every merge. */
    static final long NONE = Long.MAX_VALUE;
    private static final long EMPTY = -1;

    /** Key and merge side by side, so that a lookup touches one cache line. */
    private final long[] slots;
    private final int shift;

    /** A table with room for so many pairs. */
    MergeTable(int pairs) {
        int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(Math.max(1, pairs)));
        slots = new long[2 << bits];
        Arrays.fill(slots, EMPTY);
        shift = 64 - bits;
    }

    /** Adds a merge; of two for the same pair the later one holds, as in the reference. */
    void put(int left, int right, int rank, int merged) {
        int slot = find(key(left, right));
        slots[slot] = key(left, right);
        slots[slot + 1] = key(rank, merged);
    }

    /** The merge of a pair, or {@link #NONE}. */
    long get(int left, int right) {
        int slot = find(key(left, right));
        return slots[slot] == EMPTY ? NONE : slots[slot + 1];
    }

    /** The id a merge makes. */
    static int merged(long merge) {
        return (int) merge;
    }

    private int find(long key) {
        int slot = (int) (key * 0x9E3779B97F4A7C15L >>> shift) << 1;
        while (slots[slot] != key && slots[slot] != EMPTY) {
            slot = slot + 2 & slots.length - 1;
        }
        return slot;
    }

    private static long key(int high, int low) {
        return (long) high << 32 | low;
    }
}
