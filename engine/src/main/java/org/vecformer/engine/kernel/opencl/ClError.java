package org.vecformer.engine.kernel.opencl;

import org.jocl.CL;
import org.vecformer.engine.DeviceException;

/** Turns OpenCL's error codes into exceptions. */
final class ClError {

    private ClError() {
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
