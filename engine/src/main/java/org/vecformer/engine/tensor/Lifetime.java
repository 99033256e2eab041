package org.vecformer.engine.tensor;

import java.util.concurrent.atomic.AtomicInteger;
import org.vecformer.engine.ClosedException;

/**
 * The life of something that holds memory and that several threads may use and close: closed, it takes nobody in any
 * more, and its memory is freed when the last who is inside has left. So closing never pulls memory away from under a
 * computation, and never waits for one.
 * <p>
 * Thread-safe; using it allocates nothing.
 */
public final class Lifetime {

    private static final int CLOSED = 1 << 31;

    private final String name;
    private final Runnable free;
    /** How many are inside, and the bit {@link #CLOSED}. */
    private final AtomicInteger state = new AtomicInteger();

    /**
     * @param name what it is, for the sentence "... is closed"
     * @param free frees the memory; called once
     */
    public Lifetime(String name, Runnable free) {
        this.name = name;
        this.free = free;
    }

    /**
     * Goes in; {@link #leave} has to follow.
     *
     * @throws ClosedException if it is closed
     */
    public void enter() {
        for (;;) {
            int inside = state.get();
            if (inside < 0) {
                throw closedException();
            }
            if (state.compareAndSet(inside, inside + 1)) {
                return;
            }
        }
    }

    /** Leaves what was entered. */
    public void leave() {
        if (state.decrementAndGet() == CLOSED) {
            free.run();
        }
    }

    /** @throws ClosedException if it is closed */
    public void check() {
        if (isClosed()) {
            throw closedException();
        }
    }

    /** Whether it has been closed. */
    public boolean isClosed() {
        return state.get() < 0;
    }

    /** Closes it; a second call does nothing. */
    public void close() {
        if (state.getAndUpdate(inside -> inside | CLOSED) == 0) {
            free.run();
        }
    }

    private ClosedException closedException() {
        return new ClosedException("the " + name + " is closed");
    }
}
