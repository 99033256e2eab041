package org.vecformer.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C and TERM: the JVM runs its shutdown hooks and then ends with 130 or 143. The hook here first stops the
 * computation that is under way and waits until the main thread has written what there is of its result. Thread-safe.
 */
final class Interruption {
    /** A result that cannot be written in this time will not be: its reader hangs. */
    private static final long PATIENCE_SECONDS = 10;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Object lock = new Object();
    private boolean requested;
    private Runnable cancel;

    /** What stops a computation; close it when the result of that computation was written. */
    interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * From here to the scope's end an interruption cancels and waits; outside of any scope it ends the
     * process at once.
     */
    Scope during(Runnable action) {
        synchronized (lock) {
            if (requested) {
                action.run();
            }
            cancel = action;
        }
        return () -> {
            synchronized (lock) {
                // Once an interruption was asked for, its hook waits for the end of the main thread, scope or not.
                if (!requested) {
                    cancel = null;
                }
            }
        };
    }

    /** Whether the process is to end; loops over inputs look here. */
    boolean requested() {
        synchronized (lock) {
            return requested;
        }
    }

    /** The main thread has written everything. */
    void finished() {
        finished.countDown();
    }

    /** The shutdown hook. */
    void endCleanly() {
        boolean busy;
        synchronized (lock) {
            requested = true;
            busy = cancel != null;
            if (busy) {
                cancel.run();
            }
        }
        try {
            if (busy && !finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
