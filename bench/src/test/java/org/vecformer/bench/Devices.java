package org.vecformer.bench;

import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.UnsupportedBackendException;

/** Whether tests can run on an OpenCL device here. */
final class Devices {

    static final String SKIPPED = "skipped: no OpenCL device here (install pocl-opencl-icd, or the GPU vendor's driver)";

    private Devices() {
    }

    static boolean present() {
        try {
            return !ComputeDevice.list().isEmpty();
        } catch (UnsupportedBackendException _) {
            return false;
        }
    }
}
