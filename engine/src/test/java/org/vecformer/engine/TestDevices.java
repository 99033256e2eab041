package org.vecformer.engine;

import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The OpenCL devices that tests run on, where there are any. */
public final class TestDevices {

    private static final List<ComputeDevice> DEVICES = find();

    private TestDevices() {
    }

    private static List<ComputeDevice> find() {
        try {
            return ComputeDevice.list();
        } catch (UnsupportedBackendException _) {
            return List.of();
        }
    }

    /** Whether there is an OpenCL device here. */
    public static boolean present() {
        return !DEVICES.isEmpty();
    }

    /** The first OpenCL device; without one the test is skipped and says so. */
    public static ComputeDevice firstOrSkip() {
        Assumptions.assumeTrue(present(),
                "skipped: no OpenCL device here (install pocl-opencl-icd, or the GPU vendor's driver)");
        return DEVICES.getFirst();
    }

    /** How to ask for {@link #firstOrSkip()}. */
    public static DeviceChoice choiceOrSkip() {
        return new DeviceChoice.OpenCl(firstOrSkip().index());
    }
}
