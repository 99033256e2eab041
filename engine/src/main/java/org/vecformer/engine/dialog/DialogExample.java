package org.vecformer.engine.dialog;

import java.util.List;

/**
 * A place in a conversation where it is known what was said next. Immutable.
 *
 * @param persona    sentences that say who answers
 * @param history    as a {@link Dialog}'s
 * @param candidates what could be said next, at least one; the last one, gold, is what was said
 */
public record DialogExample(List<String> persona, List<String> history, List<String> candidates) {

    public DialogExample {
        persona = List.copyOf(persona);
        history = List.copyOf(history);
        candidates = List.copyOf(candidates);
        if (candidates.isEmpty()) {
            throw new IllegalArgumentException("the example has no candidates; expected at least the reply itself");
        }
    }

    /** The conversation up to there. */
    public Dialog dialog() {
        return new Dialog(persona, history);
    }

    /** What was said. */
    public String gold() {
        return candidates.getLast();
    }
}
