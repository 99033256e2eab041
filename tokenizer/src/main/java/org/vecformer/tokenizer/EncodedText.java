package org.vecformer.tokenizer;

/**
 * One text in ids, before special tokens, truncation and padding.
 *
 * @param words for each id the index of its word; an added token is a word of its own
 */
record EncodedText(int[] ids, int[] words, Offsets offsets) {
    static final EncodedText NOTHING = new EncodedText(new int[0], new int[0], Offsets.none(0));

    int size() {
        return ids.length;
    }
}
