package org.vecformer.engine.sampler;

import java.util.Arrays;

/**
 * A number for each of some tokens; 0 for all others. A hash table with linear probing, whose slots are there to be
 * walked through: small enough to be copied for each beam, and without an object for each token.
 */
final class TokenCounts {
    private static final int NONE = -1;

    private int[] tokens;
    private int[] counts;
    private int used;

    TokenCounts() {
        this(new int[64], new int[64], 0);
        clear();
    }

    private TokenCounts(int[] tokens, int[] counts, int used) {
        this.tokens = tokens;
        this.counts = counts;
        this.used = used;
    }

    /** Number of slots. */
    int slots() {
        return tokens.length;
    }

    /** The token in this slot, or a negative number. */
    int token(int slot) {
        return tokens[slot];
    }

    /** The number of the token in this slot. */
    int count(int slot) {
        return counts[slot];
    }

    /** Adds to a token's number. */
    void add(int token, int amount) {
        int slot = slotOf(token);
        counts[slot] += amount;
    }

    /** Raises a token's number to this, if it is less. */
    void raise(int token, int count) {
        int slot = slotOf(token);
        counts[slot] = Math.max(counts[slot], count);
    }

    void clear() {
        Arrays.fill(tokens, NONE);
        used = 0;
    }

    TokenCounts copy() {
        return new TokenCounts(tokens.clone(), counts.clone(), used);
    }

    /** The slot of the token, which gets one with the number 0 if it has none. */
    private int slotOf(int token) {
        int slot = find(token);
        if (tokens[slot] == token) {
            return slot;
        }
        if (2 * ++used > tokens.length) {
            grow();
            slot = find(token);
        }
        tokens[slot] = token;
        counts[slot] = 0;
        return slot;
    }

    /** The slot where the token is, or else the free one where it would be. */
    private int find(int token) {
        int mask = tokens.length - 1;
        // The multiplier is 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
        int slot = token * 0x9e3779b9 >>> Integer.numberOfLeadingZeros(mask);
        while (tokens[slot] != token && tokens[slot] != NONE) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        int[] oldTokens = tokens;
        int[] oldCounts = counts;
        tokens = new int[2 * oldTokens.length];
        counts = new int[tokens.length];
        Arrays.fill(tokens, NONE);
        for (int i = 0; i < oldTokens.length; i++) {
            if (oldTokens[i] != NONE) {
                int slot = find(oldTokens[i]);
                tokens[slot] = oldTokens[i];
                counts[slot] = oldCounts[i];
            }
        }
    }
}
