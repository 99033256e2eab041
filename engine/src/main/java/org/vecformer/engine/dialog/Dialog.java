package org.vecformer.engine.dialog;

import java.util.List;

/**
 * A conversation as the one who answers next sees it. Immutable.
 *
 * @param persona sentences that say who he is; may be empty
 * @param history what has been said so far, the oldest first: the last utterance is the partner's, and before it the two
 *                take turns; empty if he begins
 */
public record Dialog(List<String> persona, List<String> history) {

    public Dialog {
        persona = List.copyOf(persona);
        history = List.copyOf(history);
    }

    /**
     * With no more of the history than the last 2 x {@code turns} + 1 utterances: so many turns of both, and what is to
     * be answered.
     *
     * @throws IllegalArgumentException if the number is negative
     */
    public Dialog lastTurns(int turns) {
        if (turns < 0) {
            throw new IllegalArgumentException("the number of turns is " + turns + "; expected 0 or more");
        }
        long kept = 2L * turns + 1;
        return history.size() <= kept ? this : lastUtterances((int) kept);
    }

    /** With the last so many utterances of the history, which has them. */
    Dialog lastUtterances(int count) {
        return new Dialog(persona, history.subList(history.size() - count, history.size()));
    }
}
