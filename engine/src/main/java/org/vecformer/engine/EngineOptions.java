package org.vecformer.engine;

import java.util.Objects;

/**
 * How an {@link Engine} computes.
 *
 * @param backend     which of the CPU's kernels; AUTO with another device
 * @param threads     how many threads of this process compute, the caller's included (with another device: pack weights).
 *                    0 for one per physical core that this process may use (a container's CPU limit and the process's
 *                    affinity count); all engines of a process that are created so share these threads, so that several
 *                    models do not fight for processors. An engine with a number has threads of its own: for parting a
 *                    machine
 * @param requireSimd whether an engine must not be created without the Vector API, instead of running slower; false with
 *                    another device
 * @param device      what computes: the CPU or an OpenCL device
 * @param profiling   whether the device measures how long each kernel takes, for {@link Engine#profile}, which makes it
 *                    slower; false with the CPU
 */
public record EngineOptions(BackendChoice backend, int threads, boolean requireSimd, DeviceChoice device,
        boolean profiling) {

    /** The most threads that can be asked for. */
    public static final int MOST_THREADS = 1024;

    public EngineOptions {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(device, "device");
        if (threads < 0 || threads > MOST_THREADS) {
            throw new IllegalArgumentException("threads is " + threads + "; expected 0 (automatic) to " + MOST_THREADS);
        }
        if (requireSimd && backend == BackendChoice.SCALAR) {
            throw new IllegalArgumentException("SIMD is required, but the backend asked for is SCALAR");
        }
        boolean cpu = device instanceof DeviceChoice.Cpu;
        if (!cpu && (requireSimd || backend != BackendChoice.AUTO)) {
            throw new IllegalArgumentException(
                    (requireSimd ? "SIMD is required" : "the backend asked for is " + backend)
                            + ", which is about the CPU's kernels, but the device asked for is " + device);
        }
        if (cpu && profiling) {
            throw new IllegalArgumentException("profiling is of a device's kernels, but the device asked for is cpu");
        }
    }

    /** The CPU with its best backend, a thread per physical core. */
    public static EngineOptions defaults() {
        return new EngineOptions(BackendChoice.AUTO, 0, false, new DeviceChoice.Cpu(), false);
    }

    public EngineOptions withBackend(BackendChoice backend) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling);
    }

    public EngineOptions withThreads(int threads) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling);
    }

    public EngineOptions withRequireSimd(boolean requireSimd) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling);
    }

    public EngineOptions withDevice(DeviceChoice device) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling);
    }

    public EngineOptions withProfiling(boolean profiling) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling);
    }
}
