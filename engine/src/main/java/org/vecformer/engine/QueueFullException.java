package org.vecformer.engine;

import java.util.concurrent.RejectedExecutionException;

/**
 * More requests wait already than a queue was allowed to hold. Nothing was begun; the same request may succeed later.
 */
public final class QueueFullException extends RejectedExecutionException {

    private static final long serialVersionUID = 1;

    /** @param message how much waits, how much came, and the bound */
    public QueueFullException(String message) {
        super(message);
    }
}
