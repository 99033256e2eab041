package org.vecformer.engine;

import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The OpenCL devices that tests run on, where there are any. */
public final class TestDevices {

    private static final List<ComputeDevice> DEVICES;
    /** Why there are none; null if there are. */
    private static final String REFUSAL;

    static {
        List<ComputeDevice> devices = List.of();
        String refusal = null;
        try {
            devices = ComputeDevice.list();
        } catch (UnsupportedBackendException e) {
            refusal = e.getMessage();
        }
        DEVICES = devices;
        REFUSAL = refusal;
    }

    private TestDevices() {
    }

    /** Whether there is an OpenCL device here. */
    public static boolean present() {
        return !DEVICES.isEmpty();
    }

    /** The first OpenCL device; without one the test is skipped and says so. */
    public static ComputeDevice firstOrSkip() {
        Assumptions.assumeTrue(present(),
                () -> "skipped: no OpenCL device here (install pocl-opencl-icd, or the GPU vendor's driver): "
                        + REFUSAL);
        return DEVICES.getFirst();
    }

    /** How to ask for {@link #firstOrSkip()}. */
    public static DeviceChoice choiceOrSkip() {
        return new DeviceChoice.OpenCl(firstOrSkip().index());
    }
}
