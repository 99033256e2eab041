package org.vecformer.cli;

/**
 * What a command works on: a text (with another one beside it, perhaps) or ids.
 *
 * @param text the text; null if there are ids
 * @param pair the second text; null if there is none
 * @param ids the ids; null if there is a text
 */
record Input(String text, String pair, int[] ids) {
    static Input of(String text) {
        return new Input(text, null, null);
    }

    static Input of(int[] ids) {
        return new Input(null, null, ids);
    }

    boolean isText() {
        return text != null;
    }
}
