package org.vecformer.engine;

/** A backend that was asked for cannot be used on this machine or JVM. The message says why and what to do. */
public final class UnsupportedBackendException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message why, and what to do */
    public UnsupportedBackendException(String message) {
        super(message);
    }
}
