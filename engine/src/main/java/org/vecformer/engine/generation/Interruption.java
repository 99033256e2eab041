package org.vecformer.engine.generation;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** What may end a generation: somebody who wants it, at any time, or its own time, between two steps. */
final class Interruption implements BooleanSupplier {

    private final Supplier<FinishReason> end;
    private final long start = System.nanoTime();
    private final long nanos;
    private FinishReason reason;

    /** @param end why the generation shall end now; null as long as it goes on */
    Interruption(Supplier<FinishReason> end, Optional<Duration> maxTime) {
        this.end = end;
        // A duration that does not fit is three centuries and more.
        nanos = maxTime.filter(time -> time.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0).map(Duration::toNanos)
                .orElse(Long.MAX_VALUE);
    }

    /** Whether to end in the middle of a step; once it is so, it stays so. */
    @Override
    public boolean getAsBoolean() {
        if (reason == null) {
            reason = end.get();
        }
        return reason != null;
    }

    /** Whether to end before a step; once it is so, it stays so. */
    boolean isDue() {
        if (!getAsBoolean() && System.nanoTime() - start >= nanos) {
            reason = FinishReason.TIME;
        }
        return reason != null;
    }

    /** Why; null as long as it is not due. */
    FinishReason reason() {
        return reason;
    }
}
