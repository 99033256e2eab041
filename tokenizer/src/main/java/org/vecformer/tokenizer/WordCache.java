package org.vecformer.tokenizer;

import java.util.Arrays;

/**
 * Remembers the ids of short words that come more than once. A fixed number of places, one word each; a new word takes
 * the place of the old one, but only when it is met again while its hash is still noted: most words of a text are rare,
 * and would cost an entry each and turn the frequent ones out. Threads share it without locks: an entry is immutable
 * with final fields, so a thread sees either a whole entry or an older one, and a note that gets lost is no harm.
 */
final class WordCache {
    /** Longer words are rare, and would make the memory of a full cache hard to tell. */
    static final int LONGEST_WORD = 24;
    private static final int PLACE_BITS = 15;

    private final Entry[] entries = new Entry[1 << PLACE_BITS];
    /** The hashes of the words that were met last, each in its place. */
    private final int[] notes = new int[1 << PLACE_BITS];

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

    /** Takes in a word that is not known, or notes that it was met. */
    void offer(char[] text, int start, int end, int hash, int[] ids, int count) {
        int place = place(hash);
        if (notes[place] == hash) {
            entries[place] = new Entry(hash, Arrays.copyOfRange(text, start, end), Arrays.copyOf(ids, count));
        } else {
            notes[place] = hash;
        }
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
