package org.vecformer.engine;

/**
 * A compute device has too little memory for what was asked for. Nothing was changed: sessions go on, and closing what
 * is not needed makes room.
 */
public final class DeviceMemoryException extends DeviceException {

    private static final long serialVersionUID = 1;

    /** @param message how much was needed for what, and how much there is */
    public DeviceMemoryException(String message) {
        super(message);
    }
}
