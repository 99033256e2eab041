package org.vecformer.engine.kernel.opencl;

import org.jocl.CL;
import org.jocl.CLException;
import org.vecformer.engine.DeviceException;

/**
 * Turns OpenCL's error codes into exceptions. JOCL can be told, for a whole process, to throw exceptions of its own
 * instead of returning codes; it is not ours to decide, so both ways are understood.
 */
final class ClError {

    private ClError() {
    }

    /** One of OpenCL's functions that return their status. */
    interface Call {
        int status();
    }

    /** One of OpenCL's functions that make something and put their status into an array. */
    interface Maker<T> {
        T make(int[] status);
    }

    static int status(Call call) {
        try {
            return call.status();
        } catch (CLException e) {
            return e.getStatus();
        }
    }

    /** What was made; null, and why in {@code status}, if it was not. */
    static <T> T make(int[] status, Maker<T> maker) {
        try {
            T made = maker.make(status);
            return status[0] == CL.CL_SUCCESS ? made : null;
        } catch (CLException e) {
            status[0] = e.getStatus();
            return null;
        }
    }

    /** @throws DeviceException if the status is an error */
    static void check(int status, String device, String operation) {
        if (status != CL.CL_SUCCESS) {
            throw new DeviceException(message(status, device, operation));
        }
    }

    /** Which device failed at what, and how. */
    static String message(int status, String device, String operation) {
        return device + ": " + operation + " failed with " + name(status);
    }

    /** "CL_OUT_OF_RESOURCES (-5)" */
    static String name(int status) {
        return CL.stringFor_errorCode(status) + " (" + status + ")";
    }
}
