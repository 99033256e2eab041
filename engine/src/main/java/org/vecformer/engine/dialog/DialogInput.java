package org.vecformer.engine.dialog;

/**
 * A dialog as a model reads it. The arrays belong to the caller.
 *
 * @param ids        its tokens
 * @param types      the token whose embedding is added to each; null where the format has none
 * @param replyStart index of the reply's first token; {@code ids.length} where the reply is to be written
 * @param utterances how many of the history, the last ones, are in it
 */
public record DialogInput(int[] ids, int[] types, int replyStart, int utterances) {

    /** The type of a reply's tokens, which is that of the token they stand behind. */
    int replyType() {
        return types[replyStart - 1];
    }
}
