package org.vecformer.engine.call;

import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;

/**
 * The calls of a task, of which one runs at a time: another one is refused. Closed while one runs, that one ends with a
 * {@link ClosedException} the next time it looks, and what it works with is freed behind it. Thread-safe.
 */
public final class Calls implements AutoCloseable {

    private final String task;
    private final Runnable free;
    private Call running;
    private volatile boolean closed;

    /**
     * @param task what errors call it
     * @param free frees what the calls work with; run once, when it is closed and no call runs
     */
    public Calls(String task, Runnable free) {
        this.task = task;
        this.free = free;
    }

    /**
     * Begins a call, which the caller closes.
     *
     * @throws ClosedException       if this is closed
     * @throws IllegalStateException if another call runs
     */
    public synchronized Call begin(Cancellation cancellation) {
        checkOpen();
        if (running != null) {
            throw new IllegalStateException("a call runs in this " + task
                    + ", which does one at a time: wait for its end, or open another one");
        }
        running = new Call(this, cancellation);
        return running;
    }

    /** Ends the call that runs, if any. */
    public synchronized void cancel() {
        if (running != null) {
            running.cancel();
        }
    }

    /** @throws ClosedException if this is closed */
    void checkOpen() {
        if (closed) {
            throw new ClosedException("the " + task + " is closed");
        }
    }

    /** The call has ended. */
    synchronized void end() {
        running = null;
        if (closed) {
            free.run();
        }
    }

    /** Ends the call that runs, if any, and frees what the calls work with. A second time it does nothing. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            if (running == null) {
                free.run();
            }
        }
    }
}
