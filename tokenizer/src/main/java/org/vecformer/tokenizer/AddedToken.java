package org.vecformer.tokenizer;

/**
 * A token that is looked for in the text before it is cut into words.
 *
 * @param singleWord only found where no word character stands beside it
 * @param lstrip takes the white space to its left with it
 * @param rstrip takes the white space to its right with it
 * @param normalized found in what the tokens that are not normalized left over
 * @param special left out when special tokens are skipped
 */
record AddedToken(int id, String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized,
        boolean special) {

    /** A token with no more than its text, the way special tokens are given by name. */
    static AddedToken special(int id, String content) {
        return new AddedToken(id, content, false, false, false, false, true);
    }

    AddedToken asSpecial() {
        return new AddedToken(id, content, singleWord, lstrip, rstrip, normalized, true);
    }
}
