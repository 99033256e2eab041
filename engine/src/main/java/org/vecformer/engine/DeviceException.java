package org.vecformer.engine;

/**
 * A compute device failed. The message names the device, what it was doing and the driver's error. Whoever was computing
 * on it gets no result; a session is lost then and says so at every further call.
 */
public sealed class DeviceException extends RuntimeException permits DeviceMemoryException {

    private static final long serialVersionUID = 1;

    /** @param message which device, doing what, and the driver's error */
    public DeviceException(String message) {
        super(message);
    }
}
