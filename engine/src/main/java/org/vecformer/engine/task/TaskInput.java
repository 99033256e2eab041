package org.vecformer.engine.task;

import java.util.Objects;
import org.vecformer.engine.model.EncoderInput;

/**
 * What a task is asked about: a text, a pair of texts, or token ids that somebody else made.
 *
 * @param text the (first) text; null if there are ids
 * @param pair the second text; null for none
 * @param ids  the tokens, special ones included; null if there is a text
 */
public record TaskInput(String text, String pair, EncoderInput ids) {

    /**
     * @throws IllegalArgumentException unless there is either a text or ids
     */
    public TaskInput {
        if ((text == null) == (ids == null)) {
            throw new IllegalArgumentException(
                    "the input has " + (text == null ? "neither text nor ids" : "both text and ids")
                            + "; expected one of them");
        }
        if (pair != null && text == null) {
            throw new IllegalArgumentException("the input has a second text beside ids; expected the ids of both");
        }
    }

    /** A text. */
    public static TaskInput of(String text) {
        return new TaskInput(Objects.requireNonNull(text, "text"), null, null);
    }

    /** A pair of texts; {@code pair} null for a single one. */
    public static TaskInput of(String text, String pair) {
        return new TaskInput(Objects.requireNonNull(text, "text"), pair, null);
    }

    /** Token ids. */
    public static TaskInput of(EncoderInput ids) {
        return new TaskInput(null, null, Objects.requireNonNull(ids, "ids"));
    }
}
