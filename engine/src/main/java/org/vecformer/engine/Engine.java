package org.vecformer.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.CpuBackend;
import org.vecformer.engine.kernel.opencl.OpenClBackend;
import org.vecformer.engine.tensor.MemoryAccount;

/**
 * What computes: the kernels chosen for this machine and the threads that run them, or an OpenCL device. Several models
 * share one engine, so that they do not fight for processors, and its bound on memory. Its threads start with the first
 * work and end with the last model.
 *
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="engine"}
 *
 * On Linux with glibc 2.35 or newer, start java with the environment variable
 * {@code GLIBC_TUNABLES=glibc.malloc.hugetlb=1}: weights then lie on huge pages where the kernel allows it, and are read
 * faster. (The command line does so itself.)
 * <p>
 * Thread-safe. Close it after its models.
 */
public final class Engine implements AutoCloseable {

    private final Backend backend;

    /** Computes with this backend, which is the engine's from here on. */
    Engine(Backend backend) {
        this.backend = backend;
    }

    /**
     * Chooses the kernels and starts the threads, or opens the device.
     *
     * @throws UnsupportedBackendException when the options insist on the Vector API and it cannot be used, or name a
     *                                     device that is not there or does not work; the message says why
     */
    public static Engine create(EngineOptions options) {
        MemoryAccount memory = new MemoryAccount(
                options.memoryLimit() == 0 ? memoryOf(options.device()) : options.memoryLimit());
        if (!(options.device() instanceof DeviceChoice.Cpu)) {
            return new Engine(OpenClBackend.open(options.device(), options.threads(), memory, options.profiling()));
        }
        if (options.backend() == BackendChoice.SCALAR) {
            return new Engine(CpuBackend.scalar(options.threads(), memory));
        }
        CpuBackend backend = CpuBackend.best(options.threads(), memory, options.backend() == BackendChoice.VECTOR);
        if (!backend.refusals().isEmpty()) {
            String why = String.join("; ", backend.refusals());
            if (options.backend() == BackendChoice.VECTOR || options.requireSimd()) {
                backend.close();
                throw new UnsupportedBackendException("the vector kernels cannot be used: " + why);
            }
            System.getLogger(Engine.class.getName()).log(System.Logger.Level.WARNING,
                    "running on plain Java kernels, several times slower than vector kernels: {0}", why);
        }
        return new Engine(backend);
    }

    /** The machine's, or its container's; an OpenCL device says itself when it has no more. */
    private static long memoryOf(DeviceChoice device) {
        return device instanceof DeviceChoice.Cpu
                && ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                        ? system.getTotalMemorySize()
                        : Long.MAX_VALUE;
    }

    /** What the models and sessions on this engine hold, and the bound on it. */
    public MemoryUse memory() {
        return backend.memory().use();
    }

    /** "vector", "scalar" or "opencl". */
    public String backend() {
        return backend.name();
    }

    /** Bits of the CPU's vectors computed with; 0 on the scalar backend and on a device. */
    public int vectorBits() {
        return backend.vectorBits();
    }

    /** Threads of this process that compute (for a device: pack weights), the caller's included. */
    public int threads() {
        return backend.pool().threads();
    }

    /** Why a better backend was not chosen: one line for each refusal, empty if there was none. */
    public List<String> notes() {
        return backend.refusals();
    }

    /**
     * Whether the next step computes on vectors. Not yet, on the vector backend, while AUTO waits for work that is
     * worth compiling its kernels.
     */
    public boolean computesOnVectors() {
        return backend.computesOnVectors();
    }

    /** For people: "vector kernels, 512-bit, 2 threads", and whether they are in use yet, or the device's name. */
    public String description() {
        return backend.description();
    }

    /**
     * Gets the kernels compiled and waits for it, about a second. Nobody has to: it happens in the background when a
     * large model is loaded or after some computing, and results are the same before. For benchmarks.
     */
    public void awaitWarmUp() throws InterruptedException {
        backend.awaitWarmUp();
    }

    /** The device that computes; empty if that is the CPU. */
    public Optional<ComputeDevice> device() {
        return backend instanceof OpenClBackend opencl ? Optional.of(opencl.device()) : Optional.empty();
    }

    /**
     * How long each kernel of the device has taken since it was opened or {@link #resetProfile} was called, as far as
     * sessions have waited for it ({@code await()}, or reading a result); empty unless the options asked for profiling.
     */
    public Map<String, KernelTime> profile() {
        return backend instanceof OpenClBackend opencl ? opencl.profile() : Map.of();
    }

    /** Forgets what {@link #profile} has counted so far. */
    public void resetProfile() {
        if (backend instanceof OpenClBackend opencl) {
            opencl.resetProfile();
        }
    }

    /** For the models. */
    @SuppressWarnings("exports") // the type is the engine's own
    public Backend compute() {
        return backend;
    }

    /**
     * For what is about the CPU's kernels.
     *
     * @throws ClassCastException if a device computes
     */
    @SuppressWarnings("exports")
    public CpuBackend cpu() {
        return (CpuBackend) backend;
    }

    /**
     * Ends the threads, and closes the device. Models and sessions that are still open refuse every further step with a
     * {@link ClosedException}, and are still to be closed. A second call does nothing.
     *
     * @throws IllegalStateException if there are models or sessions of a device that were not closed before: what they
     *                               held there has been freed
     */
    @Override
    public void close() {
        backend.close();
    }
}
