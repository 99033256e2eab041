package org.vecformer.tokenizer;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ids of tokens by ranges of characters: an open-addressing hash table that is asked with a hash the caller rolls along
 * his text, and makes no strings. The hash is a polynomial over an odd base drawn at random for each process, so that
 * no file can be made in advance whose tokens all collide.
 */
final class PieceTable {
    private static final long BASE = ThreadLocalRandom.current().nextLong() | 1;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    /** Tokens end to end; an entry is its id, its start here and its length. */
    private char[] chars = new char[1 << 12];
    private int used;
    private int[] ids = new int[1 << 10];
    private int[] starts = new int[1 << 10];
    private int count;
    /** 32 bits of a mixed hash and the entry's number + 1; 0 for a free slot. The place is the mixed hash's top bits. */
    private long[] slots = new long[1 << 12];
    private int shift = 64 - 12;
    private int longest;

    /** The hash of a range that a character is appended to; the empty range has the hash 0. */
    static long roll(long hash, char c) {
        return hash * BASE + c + 1;
    }

    /** The factors by which a hash is moved left by 0, 1, ... {@code length} characters. */
    static long[] powers(int length) {
        long[] powers = new long[length + 1];
        powers[0] = 1;
        for (int i = 1; i <= length; i++) {
            powers[i] = powers[i - 1] * BASE;
        }
        return powers;
    }

    /** Adds the end of a token from a character on; it may not be there already. */
    void add(String token, int from, int id) {
        int length = token.length() - from;
        if (used + length > chars.length) {
            chars = Arrays.copyOf(chars, Math.max(used + length, (int) Math.min(2L * used, Integer.MAX_VALUE - 8)));
        }
        token.getChars(from, token.length(), chars, used);
        long hash = 0;
        for (int i = used; i < used + length; i++) {
            hash = roll(hash, chars[i]);
        }
        if (count + 1 >= ids.length) {
            ids = Arrays.copyOf(ids, 2 * ids.length);
            starts = Arrays.copyOf(starts, ids.length);
        }
        if (2 * (count + 1) > slots.length) {
            rehash();
        }
        ids[count] = id;
        starts[count] = used;
        used += length;
        starts[++count] = used;
        insert(hash * MIX, count);
        longest = Math.max(longest, length);
    }

    /** How many characters the longest token has. */
    int longest() {
        return longest;
    }

    /** The id of the token that is this range, or -1. */
    int find(char[] text, int from, int to, long hash) {
        long mixed = hash * MIX;
        int mask = slots.length - 1;
        for (int slot = (int) (mixed >>> shift);; slot = slot + 1 & mask) {
            long found = slots[slot];
            if (found == 0) {
                return -1;
            }
            if (found >>> 32 == (mixed << 16) >>> 32) {
                int entry = (int) found - 1;
                int start = starts[entry];
                if (starts[entry + 1] - start == to - from
                        && Arrays.equals(chars, start, starts[entry + 1], text, from, to)) {
                    return ids[entry];
                }
            }
        }
    }

    private void insert(long mixed, int entryAfter) {
        int mask = slots.length - 1;
        int slot = (int) (mixed >>> shift);
        while (slots[slot] != 0) {
            slot = slot + 1 & mask;
        }
        slots[slot] = mixed << 16 & 0xFFFFFFFF00000000L | entryAfter;
    }

    private void rehash() {
        slots = new long[2 * slots.length];
        shift--;
        for (int entry = 0; entry < count; entry++) {
            long hash = 0;
            for (int i = starts[entry]; i < starts[entry + 1]; i++) {
                hash = roll(hash, chars[i]);
            }
            insert(hash * MIX, entry + 1);
        }
    }
}
