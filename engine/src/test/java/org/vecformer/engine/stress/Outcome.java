package org.vecformer.engine.stress;

/** How a request ended. */
enum Outcome {
    FINISHED, CANCELLED, LATE, INTERRUPTED,
    /** The queue was full. */
    REFUSED,
    /** What it asked was closed meanwhile. */
    CLOSED
}
