package org.vecformer.engine;

/** Something was used after it, or what it stands on, was closed: a session, a task, a model, an engine. */
public final class ClosedException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** @param message what is closed */
    public ClosedException(String message) {
        super(message);
    }
}
