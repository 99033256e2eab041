package org.vecformer.engine;

import java.util.concurrent.CancellationException;

/** A call was ended because its deadline ({@link Cancellation#after}) has passed. */
public final class DeadlineException extends CancellationException {

    private static final long serialVersionUID = 1;

    /** @param message how far the call had come */
    public DeadlineException(String message) {
        super(message);
    }
}
