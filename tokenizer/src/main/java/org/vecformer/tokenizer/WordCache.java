package org.vecformer.tokenizer;

import java.util.Arrays;

/**
 * Remembers the ids of short words. A fixed number of places, one word each; a new word takes the place of the old one.
 * Threads share it without locks: an entry is immutable with final fields, so a thread sees either a whole entry or an
 * older one.
 */
final class WordCache {
    /** Longer words are rare, and would make the memory of a full cache hard to tell. */
    static final int LONGEST_WORD = 24;
    private static final int PLACE_BITS = 14;

    private final Entry[] entries = new Entry[1 << PLACE_BITS];

    static int hash(char[] text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = hash * 31 + text[i];
        }
        return hash * 0x9E3779B9;
    }

    /** The ids of a word, not to be changed; null if it is not known. */
    int[] find(char[] text, int start, int end, int hash) {
        Entry entry = entries[place(hash)];
        return entry != null && entry.hash == hash && entry.is(text, start, end) ? entry.ids : null;
    }

    void put(char[] text, int start, int end, int hash, int[] ids) {
        entries[place(hash)] = new Entry(hash, Arrays.copyOfRange(text, start, end), ids);
    }

    private static int place(int hash) {
        return hash >>> 32 - PLACE_BITS;
    }

    private static final class Entry {
        private final int hash;
        private final char[] word;
        private final int[] ids;

        Entry(int hash, char[] word, int[] ids) {
            this.hash = hash;
            this.word = word;
            this.ids = ids;
        }

        boolean is(char[] text, int start, int end) {
            if (end - start != word.length) {
                return false;
            }
            for (int i = 0; i < word.length; i++) {
                if (word[i] != text[start + i]) {
                    return false;
                }
            }
            return true;
        }
    }
}
