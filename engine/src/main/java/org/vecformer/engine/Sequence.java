package org.vecformer.engine;

/**
 * One text that a session works on: the positions that the model has seen, in the session's key/value cache. Forks share
 * what they have in common. Not thread-safe, as its session.
 */
public interface Sequence extends AutoCloseable {

    /** How many positions the model has seen. */
    int length();

    /** Forgets all positions from {@code length} on. */
    void truncate(int length);

    /** A second sequence with the same past, which shares its memory until one of the two goes on. */
    Sequence fork();

    /** Gives the memory back. A second call does nothing. */
    @Override
    void close();
}
