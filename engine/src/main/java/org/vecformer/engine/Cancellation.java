package org.vecformer.engine;

import java.time.Duration;

/**
 * Says from any thread that a call shall end. It is given to a call, or to several; the call looks at it before each
 * step and between the layers of a step. Cancelled before a call begins, it ends that call at once. Once due, it stays
 * due.
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="cancel"}
 *
 * Thread-safe.
 */
public final class Cancellation {

    /** {@link System#nanoTime} when it is late, as a distance from {@link #start}; negative for never. */
    private final long nanos;
    private final long start = System.nanoTime();
    private volatile boolean cancelled;

    /** One without a deadline. */
    public Cancellation() {
        this(-1);
    }

    private Cancellation(long nanos) {
        this.nanos = nanos;
    }

    /**
     * One that becomes due by itself, and may be cancelled before.
     *
     * @param timeout from now on
     * @throws IllegalArgumentException if it is negative
     */
    public static Cancellation after(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout is " + timeout + "; expected 0 or more");
        }
        // A duration that does not fit is three centuries and more.
        boolean fits = timeout.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0;
        return new Cancellation(fits ? timeout.toNanos() : -1);
    }

    /** Ends the calls that it was given to, as soon as they look. */
    public void cancel() {
        cancelled = true;
    }

    /** Whether {@link #cancel} was called. */
    public boolean isCancelled() {
        return cancelled;
    }

    /** Whether its time is over. */
    public boolean isLate() {
        return nanos >= 0 && System.nanoTime() - start >= nanos;
    }

    /** Whether a call that it was given to has to end. */
    public boolean isDue() {
        return cancelled || isLate();
    }
}
