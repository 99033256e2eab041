package org.vecformer.engine.generation;

import java.util.Optional;

/** When a beam search that has as many finished continuations as beams stops. */
public enum EarlyStopping {
    /** At once; Hugging Face's {@code early_stopping=True}. */
    WHEN_ENOUGH,
    /**
     * When the best running beam, if it ended now, would not be among them; Hugging Face's {@code False}. A heuristic:
     * with a length penalty above 0 it could still catch up.
     */
    WHEN_UNLIKELY,
    /** When no running beam can catch up, however long it gets; Hugging Face's {@code "never"}. */
    WHEN_IMPOSSIBLE;

    /** By Hugging Face's value of {@code early_stopping}: true, false or never. */
    public static Optional<EarlyStopping> of(String value) {
        return switch (value) {
            case "true" -> Optional.of(WHEN_ENOUGH);
            case "false" -> Optional.of(WHEN_UNLIKELY);
            case "never" -> Optional.of(WHEN_IMPOSSIBLE);
            default -> Optional.empty();
        };
    }
}
