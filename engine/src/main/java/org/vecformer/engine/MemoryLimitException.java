package org.vecformer.engine;

/**
 * What was asked for does not fit into the memory that an engine may use ({@link EngineOptions#memoryLimit}). Nothing
 * was begun; closing models or sessions makes room.
 */
public final class MemoryLimitException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** @param message what was needed, what is in use and what the limit is */
    public MemoryLimitException(String message) {
        super(message);
    }
}
