package org.vecformer.engine.task;

/** A text has more tokens than fit, and was not to be shortened: see {@link LongTexts#REFUSE}. */
public final class TextTooLongException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    private final int index;
    private final int tokens;
    private final int limit;

    /**
     * @param index  which input of the call, counted from 0
     * @param tokens how many it has, special ones and prompt included
     * @param limit  how many it may have
     */
    public TextTooLongException(int index, int tokens, int limit) {
        super("input " + index + " has " + tokens + " tokens, special ones included; expected at most " + limit);
        this.index = index;
        this.tokens = tokens;
        this.limit = limit;
    }

    /** Which input of the call, counted from 0. */
    public int index() {
        return index;
    }

    /** How many tokens it has, special ones and prompt included. */
    public int tokens() {
        return tokens;
    }

    /** How many it may have. */
    public int limit() {
        return limit;
    }
}
