package org.vecformer.engine;

import java.util.Objects;

/**
 * How an {@link Engine} computes.
 *
 * @param backend     which of the CPU's kernels; AUTO with another device
 * @param threads     how many threads of this process compute, the caller's included (with another device: pack weights).
 *                    0 for one per physical core that this process may use (a container's CPU limit and the process's
 *                    affinity count). Several models share these threads by sharing an engine; an engine for each is for
 *                    parting a machine, with a number of threads for each
 * @param requireSimd whether an engine must not be created without the Vector API, instead of running slower; false with
 *                    another device
 * @param device      what computes: the CPU or an OpenCL device
 * @param profiling   whether the device measures how long each kernel takes, for {@link Engine#profile}, which makes it
 *                    slower; false with the CPU
 * @param memoryLimit bytes that all models and sessions of the engine may hold, off-heap or on the device, and as
 *                    working memory; what would pass it is refused with a {@link MemoryLimitException} before work
 *                    begins. 0 for the memory that this machine, or the container that limits the process, has at all
 */
public record EngineOptions(BackendChoice backend, int threads, boolean requireSimd, DeviceChoice device,
        boolean profiling, long memoryLimit) {

    /** The most threads that can be asked for. */
    public static final int MOST_THREADS = 1024;

    public EngineOptions {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(device, "device");
        if (threads < 0 || threads > MOST_THREADS) {
            throw new IllegalArgumentException("threads is " + threads + "; expected 0 (automatic) to " + MOST_THREADS);
        }
        if (memoryLimit < 0) {
            throw new IllegalArgumentException(
                    "memoryLimit is " + memoryLimit + "; expected 0 (what the process may use) or bytes");
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
        return new EngineOptions(BackendChoice.AUTO, 0, false, new DeviceChoice.Cpu(), false, 0);
    }

    public EngineOptions withBackend(BackendChoice backend) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }

    public EngineOptions withThreads(int threads) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }

    public EngineOptions withRequireSimd(boolean requireSimd) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }

    public EngineOptions withDevice(DeviceChoice device) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }

    public EngineOptions withProfiling(boolean profiling) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }

    public EngineOptions withMemoryLimit(long memoryLimit) {
        return new EngineOptions(backend, threads, requireSimd, device, profiling, memoryLimit);
    }
}
