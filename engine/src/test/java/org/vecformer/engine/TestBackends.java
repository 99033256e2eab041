package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The backends that a run tests. The build runs the tests tagged "width" once for each lane width and once for scalar
 * kernels, and those tagged "device" once on an OpenCL device (see pom.xml); the properties {@value #EXPECTED} and
 * {@value #DEVICE} say which one a run is for, and opening an engine here asserts that it is what runs.
 */
public final class TestBackends {

    /** Bits of the vectors that must run; 0 for scalar kernels only; absent for the machine's own width. */
    private static final String EXPECTED = "vecformer.expectedBits";

    /** The device that must run; absent for the CPU. */
    private static final String DEVICE = "vecformer.device";

    private TestBackends() {
    }

    /** The backend under test in this run. */
    public static BackendChoice tested() {
        return Integer.getInteger(EXPECTED, -1) == 0 ? BackendChoice.SCALAR : BackendChoice.VECTOR;
    }

    /** Whether this run is for a device, whose results agree with the CPU's but have other bits. */
    public static boolean onDevice() {
        return System.getProperty(DEVICE) != null;
    }

    /** An engine with the backend under test, after checking that it is the one this run is for. */
    public static Engine open(int threads) {
        return open(EngineOptions.defaults().withThreads(threads));
    }

    /** As {@link #open(int)}, with options that leave the backend and the device open. */
    public static Engine open(EngineOptions options) {
        if (onDevice()) {
            TestDevices.firstOrSkip();
            DeviceChoice device = DeviceChoice.parse(System.getProperty(DEVICE));
            Engine engine = Engine.create(options.withDevice(device));
            assertThat(engine.backend()).isEqualTo("opencl");
            return engine;
        }
        Engine engine = Engine.create(options.withBackend(tested()));
        assertThat(engine.notes()).isEmpty();
        int expected = Integer.getInteger(EXPECTED, -1);
        if (expected >= 0) {
            assertThat(engine.vectorBits()).as("lane width that runs").isEqualTo(expected);
        } else {
            assertThat(engine.vectorBits()).as("lane width that runs").isGreaterThanOrEqualTo(128);
        }
        return engine;
    }

    /** A reference engine on scalar kernels with one thread. */
    public static Engine openScalar() {
        return Engine.create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(1));
    }
}
