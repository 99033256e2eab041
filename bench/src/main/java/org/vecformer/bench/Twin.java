package org.vecformer.bench;

import java.util.Arrays;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.UnsupportedBackendException;

/** What a benchmark computes on: its twins differ in this alone. */
public enum Twin {
    /** The CPU, with plain Java kernels. */
    SCALAR,
    /** The CPU, with the Vector API's. */
    VECTOR,
    /** The OpenCL device that {@value #DEVICE} names, or else the first one, whatever it is. */
    OPENCL;

    /** Of the largest number: what some hundred sums of a thousand products in another order come to. */
    private static final double ROUNDING = 1e-4;

    /** A system property: {@code gpu} or {@code opencl:N}. */
    static final String DEVICE = "vecformer.bench.device";

    /**
     * An engine to measure.
     *
     * @param threads 0 for one per processor
     * @throws UnsupportedBackendException if there would be something else to measure than what was asked for
     */
    Engine open(int threads) {
        EngineOptions options = EngineOptions.defaults()
                .withThreads(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
        return Engine.create(switch (this) {
            case SCALAR -> options.withBackend(BackendChoice.SCALAR);
            case VECTOR -> options.withBackend(BackendChoice.VECTOR);
            case OPENCL -> options.withDevice(DeviceChoice.parse(System.getProperty(DEVICE, "opencl:0")));
        });
    }

    /**
     * Compares what one engine computed in two ways.
     *
     * @return whether they agree: to the bit on the CPU, where every sum has one order; within rounding on a device
     */
    static boolean agree(Engine engine, float[] one, float[] other) {
        if (engine.device().isEmpty()) {
            return Arrays.equals(one, other);
        }
        double size = 0;
        double difference = 0;
        for (int i = 0; i < one.length; i++) {
            size = Math.max(size, Math.abs(one[i]));
            difference = Math.max(difference, Math.abs(one[i] - other[i]));
        }
        // Written so that NaN is no agreement.
        return difference <= ROUNDING * size;
    }
}
