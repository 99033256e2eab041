package org.vecformer.tokenizer;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Tokens by id and ids by token. Filled while the files are read, not changed afterwards. */
final class Vocabulary {
    /** Far above any real vocabulary; keeps one absurd id in a file from asking for gigabytes. */
    static final int LARGEST_ID = (1 << 22) - 1;

    /** Drawn at random, so that no file can be made in advance whose tokens all collide. */
    private static final int BASE = ThreadLocalRandom.current().nextInt() & ~7 | 5;

    private String[] tokens = new String[1024];
    /** Open addressing by the hash of the token; id + 1, 0 for a free slot. */
    private int[] slots = new int[4096];
    private int count;
    private int size;

    /** Adds a token; neither it nor its id may be there already. */
    void add(String token, int id) {
        if (id >= tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(id + 1, 2 * tokens.length));
        }
        if (2 * (count + 1) > slots.length) {
            rehash();
        }
        tokens[id] = token;
        insert(token, id);
        count++;
        size = Math.max(size, id + 1);
    }

    /** Adds a token whose id is new; if the token is there already, it has the new id, and the old one has no token. */
    void put(String token, int id) {
        int old = find(token);
        if (old < 0) {
            add(token, id);
            return;
        }
        int slot = slot(hash(token));
        while (slots[slot] != old + 1) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = id + 1;
        tokens[old] = null;
        if (id >= tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(id + 1, 2 * tokens.length));
        }
        tokens[id] = token;
        size = Math.max(size, id + 1);
    }

    /** The largest id + 1. */
    int size() {
        return size;
    }

    /** How many tokens there are. */
    int count() {
        return count;
    }

    /** The token with this id, or null. */
    String token(int id) {
        return id >= 0 && id < size ? tokens[id] : null;
    }

    /** The id of a token, or -1. */
    int find(String token) {
        for (int slot = slot(hash(token));; slot = slot + 1 & slots.length - 1) {
            int id = slots[slot] - 1;
            if (id < 0 || tokens[id].equals(token)) {
                return id;
            }
        }
    }

    /**
     * The id of the token that is two ranges of characters joined, or -1. Makes no string: merges ask this
     * 150,000 times.
     */
    int find(char[] text, int from, int to, int from2, int to2) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = BASE * hash + text[i];
        }
        for (int i = from2; i < to2; i++) {
            hash = BASE * hash + text[i];
        }
        for (int slot = slot(hash);; slot = slot + 1 & slots.length - 1) {
            int id = slots[slot] - 1;
            if (id < 0 || equal(tokens[id], text, from, to, from2, to2)) {
                return id;
            }
        }
    }

    private static boolean equal(String token, char[] text, int from, int to, int from2, int to2) {
        int cut = to - from;
        if (token.length() != cut + to2 - from2) {
            return false;
        }
        for (int i = 0; i < cut; i++) {
            if (token.charAt(i) != text[from + i]) {
                return false;
            }
        }
        for (int i = cut; i < token.length(); i++) {
            if (token.charAt(i) != text[from2 + i - cut]) {
                return false;
            }
        }
        return true;
    }

    private static int hash(String token) {
        int hash = 0;
        for (int i = 0; i < token.length(); i++) {
            hash = BASE * hash + token.charAt(i);
        }
        return hash;
    }

    private int slot(int hash) {
        return hash * 0x9E3779B9 >>> Integer.numberOfLeadingZeros(slots.length) + 1;
    }

    private void insert(String token, int id) {
        int slot = slot(hash(token));
        while (slots[slot] != 0) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = id + 1;
    }

    private void rehash() {
        slots = new int[slots.length * 4];
        for (int id = 0; id < size; id++) {
            if (tokens[id] != null) {
                insert(tokens[id], id);
            }
        }
    }
}
