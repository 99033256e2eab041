package org.vecformer.engine;

/**
 * A key/value cache has no room for more positions. Nothing was changed; closing or truncating sequences
 * makes room.
 */
public final class CacheFullException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** @param message how much there is and how much was needed */
    public CacheFullException(String message) {
        super(message);
    }
}
