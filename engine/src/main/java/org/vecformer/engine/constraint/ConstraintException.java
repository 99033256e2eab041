package org.vecformer.engine.constraint;

/**
 * A constraint that cannot be kept: a pattern or schema that is not understood, that no text matches, that the
 * vocabulary cannot spell, or that is too large. The message names the place in the pattern or the path in the schema.
 */
public final class ConstraintException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    ConstraintException(String message) {
        super(message);
    }

    ConstraintException(String message, Throwable cause) {
        super(message, cause);
    }
}
