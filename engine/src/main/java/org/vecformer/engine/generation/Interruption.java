package org.vecformer.engine.generation;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** What may end a generation between two steps: somebody who cancels it, or its time. */
final class Interruption {

    private final BooleanSupplier cancelled;
    private final long start = System.nanoTime();
    private final long nanos;
    private FinishReason reason;

    Interruption(BooleanSupplier cancelled, Optional<Duration> maxTime) {
        this.cancelled = cancelled;
        // A duration that does not fit is three centuries and more.
        nanos = maxTime.filter(time -> time.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0).map(Duration::toNanos)
                .orElse(Long.MAX_VALUE);
    }

    /** Whether to end now; once it is so, it stays so. */
    boolean isDue() {
        if (reason == null) {
            if (cancelled.getAsBoolean()) {
                reason = FinishReason.CANCELLED;
            } else if (System.nanoTime() - start >= nanos) {
                reason = FinishReason.TIME;
            }
        }
        return reason != null;
    }

    /** Why; null as long as it is not due. */
    FinishReason reason() {
        return reason;
    }
}
