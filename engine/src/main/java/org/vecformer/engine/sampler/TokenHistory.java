package org.vecformer.engine.sampler;

import java.util.Arrays;

/** The tokens of a text so far, prompt and continuation. Allocates where it grows: seldom, and by doubling. */
final class TokenHistory {
    private int[] tokens;
    private int length;

    TokenHistory() {
        this(new int[64], 0);
    }

    private TokenHistory(int[] tokens, int length) {
        this.tokens = tokens;
        this.length = length;
    }

    int length() {
        return length;
    }

    /** The token at this position, from 0. */
    int get(int position) {
        return tokens[position];
    }

    void add(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
        }
        tokens[length++] = token;
    }

    void clear() {
        length = 0;
    }

    /** Whether the text ends with the first so many tokens of this sequence. */
    boolean endsWith(int[] sequence, int count) {
        return count <= length && Arrays.equals(tokens, length - count, length, sequence, 0, count);
    }

    /** Whether the tokens from this position on are the same as the last so many. */
    boolean repeatsEndAt(int position, int count) {
        return Arrays.equals(tokens, position, position + count, tokens, length - count, length);
    }

    TokenHistory copy() {
        return new TokenHistory(tokens.clone(), length);
    }
}
