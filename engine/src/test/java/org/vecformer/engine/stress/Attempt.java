package org.vecformer.engine.stress;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.vecformer.engine.Cancellation;

/** One request, and who disturbs it. What was to disturb it and comes too late does nothing. */
final class Attempt implements AutoCloseable {

    /** About as long as a request takes that has the machine for itself. */
    static final long LONGEST_NANOS = 8_000_000;

    private final Ending ending;
    private final long nanos;
    private final ScheduledExecutorService disturber;
    private final Cancellation cancellation;
    private boolean over;

    Attempt(Ending ending, long nanos, ScheduledExecutorService disturber) {
        this.ending = ending;
        this.nanos = nanos;
        this.disturber = disturber;
        cancellation = ending == Ending.LATE ? Cancellation.after(Duration.ofNanos(nanos)) : new Cancellation();
        switch (ending) {
            case CANCELLED_BEFORE -> cancellation.cancel();
            case INTERRUPTED -> later(Thread.currentThread()::interrupt);
            default -> {
                // Whoever asks says how.
            }
        }
    }

    Ending ending() {
        return ending;
    }

    Cancellation cancellation() {
        return cancellation;
    }

    /** Cancels by the cancellation, if that is how it shall end. */
    void cancelLater() {
        cancelLater(cancellation::cancel);
    }

    /** Cancels in a way that the request has, if that is how it shall end. */
    void cancelLater(Runnable cancel) {
        if (ending == Ending.CANCELLED) {
            later(cancel);
        }
    }

    /** Does something from another thread, unless the request has ended until then. */
    void later(Runnable action) {
        disturber.schedule(() -> {
            synchronized (this) {
                if (!over) {
                    action.run();
                }
            }
        }, nanos, TimeUnit.NANOSECONDS);
    }

    /** From here on nothing disturbs the thread any more. */
    @Override
    public void close() {
        synchronized (this) {
            over = true;
        }
        Thread.interrupted();
    }
}
