package org.vecformer.engine.call;

import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.generation.FinishReason;

/**
 * A call that runs, to be asked before each step and between the layers of one whether it shall end: because of its
 * {@link Cancellation}, its task's {@code cancel()}, or an interruption of the thread that asks, whose status stays set.
 * Where the task has been closed, every question is answered by a {@link ClosedException}.
 */
public final class Call implements BooleanSupplier, AutoCloseable {

    private final Calls calls;
    private final Cancellation cancellation;
    private volatile boolean cancelled;

    Call(Calls calls, Cancellation cancellation) {
        this.calls = calls;
        this.cancellation = Objects.requireNonNull(cancellation, "cancellation");
    }

    /** Ends it the next time it looks. From any thread. */
    public void cancel() {
        cancelled = true;
    }

    /** Whether it shall end. */
    @Override
    public boolean getAsBoolean() {
        return reason() != null;
    }

    /** Why it shall end; null as long as it goes on. */
    public FinishReason reason() {
        calls.checkOpen();
        if (cancelled || cancellation.isCancelled() || Thread.currentThread().isInterrupted()) {
            return FinishReason.CANCELLED;
        }
        return cancellation.isLate() ? FinishReason.TIME : null;
    }

    /**
     * Goes on, or not.
     *
     * @return false
     * @throws DeadlineException     if its time is over
     * @throws CancellationException if somebody has ended it
     */
    public boolean check() {
        if (getAsBoolean()) {
            throw exception("");
        }
        return false;
    }

    /**
     * What to throw when it shall end.
     *
     * @param progress how far it has come, such as " after 2 of 5 inputs"
     */
    public CancellationException exception(String progress) {
        return reason() == FinishReason.TIME
                ? new DeadlineException("the deadline passed" + progress)
                : new CancellationException("cancelled" + progress);
    }

    /** The call has ended. */
    @Override
    public void close() {
        calls.end();
    }
}
