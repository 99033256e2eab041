package org.vecformer.engine.generation;

/** Guesses at the next tokens of one continuation. */
interface Drafter extends AutoCloseable {

    /**
     * Guesses what comes behind a track's tokens.
     *
     * @param guesses receives them
     * @param most    how many at most; not more than {@code guesses} holds
     * @return how many there are; 0 if it has no idea
     */
    int draft(Track track, int[] guesses, int most);

    @Override
    default void close() {
    }
}
