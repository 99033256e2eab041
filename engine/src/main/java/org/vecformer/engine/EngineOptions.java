package org.vecformer.engine;

import java.util.Objects;

/**
 * How an {@link Engine} computes.
 *
 * @param backend     which kernels
 * @param threads     how many threads compute, the caller's included. 0 for one per physical core that this process may
 *                    use (a container's CPU limit and the process's affinity count); all engines of a process that are
 *                    created so share these threads, so that several models do not fight for processors. An engine with
 *                    a number has threads of its own: for parting a machine
 * @param requireSimd whether an engine must not be created without the Vector API, instead of running slower
 */
public record EngineOptions(BackendChoice backend, int threads, boolean requireSimd) {

    /** The most threads that can be asked for. */
    public static final int MOST_THREADS = 1024;

    public EngineOptions {
        Objects.requireNonNull(backend, "backend");
        if (threads < 0 || threads > MOST_THREADS) {
            throw new IllegalArgumentException("threads is " + threads + "; expected 0 (automatic) to " + MOST_THREADS);
        }
        if (requireSimd && backend == BackendChoice.SCALAR) {
            throw new IllegalArgumentException("SIMD is required, but the backend asked for is SCALAR");
        }
    }

    /** The best backend, a thread per physical core. */
    public static EngineOptions defaults() {
        return new EngineOptions(BackendChoice.AUTO, 0, false);
    }

    public EngineOptions withBackend(BackendChoice backend) {
        return new EngineOptions(backend, threads, requireSimd);
    }

    public EngineOptions withThreads(int threads) {
        return new EngineOptions(backend, threads, requireSimd);
    }

    public EngineOptions withRequireSimd(boolean requireSimd) {
        return new EngineOptions(backend, threads, requireSimd);
    }
}
