package org.vecformer.cli;

/** What a command works on. */
sealed interface Input {

    /**
     * A text, with another one beside it perhaps.
     *
     * @param text the text
     * @param pair the second text; null if there is none
     */
    record Text(String text, String pair) implements Input {}

    /**
     * Token ids.
     *
     * @param ids the ids
     * @param typeIds which text each id belongs to; null if all belong to the first
     * @param attentionMask 1 for ids that are looked at, 0 for padding; null if all are
     */
    record Ids(int[] ids, int[] typeIds, int[] attentionMask) implements Input {}
}
