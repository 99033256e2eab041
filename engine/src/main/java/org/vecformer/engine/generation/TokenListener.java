package org.vecformer.engine.generation;

/**
 * Follows a generation token by token, on the generating thread. An exception it throws ends the generation
 * and reaches the caller.
 */
@FunctionalInterface
public interface TokenListener {

    /** Does nothing. */
    TokenListener NONE = (_, _) -> {
    };

    /**
     * @param id   the token
     * @param text the text that became complete with it: empty while a character's bytes are missing, and without a
     *             tokenizer
     */
    void token(int id, String text);
}
