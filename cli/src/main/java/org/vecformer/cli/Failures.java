package org.vecformer.cli;

import java.io.IOException;

/** Failures of other threads. */
final class Failures {
    private Failures() {
    }

    /** Throws what is unchecked, and returns what is not to be thrown by the caller. */
    static IOException asChecked(Throwable failure) {
        return switch (failure) {
            case IOException expected -> expected;
            case RuntimeException unchecked -> throw unchecked;
            case Error error -> throw error;
            default -> new IOException(failure);
        };
    }
}
