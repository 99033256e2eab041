package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.Sampler;

/** Guesses at the next tokens of one continuation. */
interface Drafter extends AutoCloseable {

    /**
     * Guesses what comes behind a context's tokens.
     *
     * @param sampler what the tokens will be chosen by, in its state before the first of them; not to be changed
     * @param guesses receives them
     * @param most    how many at most; not more than {@code guesses} holds
     * @return how many there are; 0 if it has no idea
     */
    int draft(Context context, Sampler sampler, int[] guesses, int most);

    @Override
    default void close() {
    }
}
