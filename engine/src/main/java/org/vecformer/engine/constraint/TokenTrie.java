package org.vecformer.engine.constraint;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The bytes of all tokens that are text, as a tree: what tokens begin with alike is looked at once. Nodes lie in the
 * order of a walk from the root, so that a walk that leaves out a branch is one loop. Immutable.
 */
final class TokenTrie {
    /** By node, the root left out: its byte, how many bytes come before, and the node behind all that begins with it. */
    private final byte[] bytes;
    private final int[] depths;
    private final int[] ends;
    /** The tokens that end at node i are those from firstToken[i] to firstToken[i + 1]. */
    private final int[] firstToken;
    private final int[] tokens;
    private final int deepest;
    private final BitSet singles = new BitSet(256);

    /** @param spelled by id: the bytes of a token, or null if it is no text */
    TokenTrie(byte[][] spelled) {
        int[] sorted = sorted(spelled);
        int count = 0;
        byte[] before = {};
        for (int id : sorted) {
            count += spelled[id].length - shared(before, spelled[id]);
            before = spelled[id];
        }
        bytes = new byte[count];
        depths = new int[count];
        ends = new int[count];
        firstToken = new int[count + 1];
        tokens = sorted;
        int node = 0;
        int longest = 0;
        before = new byte[0];
        int[] path = new int[16];
        for (int i = 0; i < sorted.length; i++) {
            byte[] token = spelled[sorted[i]];
            int shared = shared(before, token);
            for (int depth = shared; depth < before.length; depth++) {
                ends[path[depth]] = node;
            }
            path = path.length < token.length ? Arrays.copyOf(path, 2 * token.length) : path;
            for (int depth = shared; depth < token.length; depth++) {
                bytes[node] = token[depth];
                depths[node] = depth;
                firstToken[node] = i;
                path[depth] = node++;
            }
            longest = Math.max(longest, token.length);
            if (token.length == 1) {
                singles.set(token[0] & 0xFF);
            }
            before = token;
        }
        for (int depth = 0; depth < before.length; depth++) {
            ends[path[depth]] = node;
        }
        firstToken[count] = sorted.length;
        deepest = longest;
    }

    /** The ids of the tokens that are text, by their bytes. */
    private static int[] sorted(byte[][] spelled) {
        // Nearly sorted by numbers first, of five bytes and the id: comparing arrays 800,000 times takes a while.
        long[] keys = IntStream.range(0, spelled.length).filter(id -> spelled[id] != null)
                .mapToLong(id -> beginning(spelled[id]) << 24 | id).sorted().toArray();
        return LongStream.of(keys).mapToObj(key -> (int) (key & 0xFFFFFF))
                .sorted((a, b) -> Arrays.compareUnsigned(spelled[a], spelled[b])).mapToInt(Integer::intValue).toArray();
    }

    private static long beginning(byte[] token) {
        long beginning = 0;
        for (int i = 0; i < 5; i++) {
            beginning = beginning << 8 | (i < token.length ? token[i] & 0xFF : 0);
        }
        return beginning;
    }

    private static int shared(byte[] a, byte[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }

    int size() {
        return bytes.length;
    }

    byte byteAt(int node) {
        return bytes[node];
    }

    int depth(int node) {
        return depths[node];
    }

    int end(int node) {
        return ends[node];
    }

    int firstToken(int node) {
        return firstToken[node];
    }

    int token(int index) {
        return tokens[index];
    }

    /** The most bytes a token has. */
    int deepest() {
        return deepest;
    }

    /** The bytes that are tokens by themselves. */
    BitSet singles() {
        return singles;
    }
}
