package org.vecformer.engine.generation;

/**
 * Follows a generation token by token, on the generating thread. An exception it throws ends the generation
 * and reaches the caller. Beams are told when all of them are finished.
 */
@FunctionalInterface
public interface TokenListener {

    /** Does nothing. */
    TokenListener NONE = _ -> {
    };

    /** A token was written. */
    void token(GeneratedToken token);

    /** A sequence has ended: all texts of it that were told together are the result's. */
    default void finished(TextEnd end) {
    }
}
