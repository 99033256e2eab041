package org.vecformer.engine.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.MemoryAccount;

/**
 * The kernels that were chosen for this JVM, and the threads that run them. Thread-safe; shared by all models of an
 * engine.
 * <p>
 * The checks of the choice run in order, before any class of the vector module is loaded, and the first that fails
 * explains itself in one line that says what to do.
 */
public final class CpuBackend implements Backend {

    private final CpuKernels chosen;
    private volatile CpuKernels kernels;
    private final WorkerPool pool;
    private final int vectorBits;
    private final List<String> refusals;
    /** The bits of the types of weights whose kernels are, or are being, compiled. */
    private volatile int warmed;
    /** Compiles those of the latest of them; null if nothing was asked for. */
    private Thread warmUp;
    private final MemoryAccount memory;
    /** Models whose weights have not been closed. */
    private int models;
    private volatile boolean closed;

    private CpuBackend(CpuKernels first, CpuKernels chosen, int vectorBits, int threads, MemoryAccount memory,
            List<String> refusals) {
        kernels = first;
        this.chosen = chosen;
        this.vectorBits = vectorBits;
        this.refusals = List.copyOf(refusals);
        this.memory = memory;
        pool = WorkerPool.of(threads);
    }

    /**
     * Plain Java kernels.
     *
     * @param threads how many compute, the caller's included; 0 for one for each physical core
     * @param memory  what its models and sessions hold
     */
    public static CpuBackend scalar(int threads, MemoryAccount memory) {
        return scalar(threads, memory, List.of());
    }

    private static CpuBackend scalar(int threads, MemoryAccount memory, List<String> refusals) {
        CpuKernels kernels = new ScalarKernels();
        return new CpuBackend(kernels, kernels, 0, threads, memory, refusals);
    }

    /**
     * The vector kernels, or plain ones with the refusals that say why.
     *
     * @param threads      how many compute, the caller's included; 0 for one for each physical core
     * @param memory       what its models and sessions hold
     * @param fromTheStart whether to use vector kernels at once, instead of plain ones until {@link #warmUp} is
     *                     through; the bits are the same
     */
    public static CpuBackend best(int threads, MemoryAccount memory, boolean fromTheStart) {
        return vectorRefusal().map(refusal -> scalar(threads, memory, List.of(refusal)))
                .orElseGet(() -> VectorBackend.create(threads, memory, fromTheStart));
    }

    /** The first reason why the vector kernels cannot be used here, or nothing. */
    static Optional<String> vectorRefusal() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return Optional.of(
                    "the module jdk.incubator.vector is missing: start java with --add-modules jdk.incubator.vector");
        }
        if (!CpuBackend.class.getModule().canRead(ModuleLayer.boot().findModule("jdk.incubator.vector").get())) {
            return Optional.of("the engine cannot read the module jdk.incubator.vector: start java with "
                    + "--add-modules jdk.incubator.vector");
        }
        if (!System.getProperty("java.vm.name", "").contains("HotSpot")
                && !System.getProperty("java.vm.name", "").contains("OpenJDK")) {
            return Optional.of("this JVM (" + System.getProperty("java.vm.name")
                    + ") is not HotSpot, whose C2 compiler the vector "
                    + "kernels are written for: use an OpenJDK build");
        }
        List<String> missing = new ArrayList<>();
        check(missing, "EnableVectorSupport", "true", "remove -XX:-EnableVectorSupport");
        check(missing, "UseFMA", "true", "the processor has no fused multiply-add (or -XX:-UseFMA was given)");
        check(missing, "TieredStopAtLevel", "4",
                "remove -XX:TieredStopAtLevel or -client, which keep the C2 compiler off");
        check(missing, "EnableJVMCI", "false", "remove -XX:+EnableJVMCI: its compilers know no vectors");
        return missing.stream().findFirst();
    }

    private static void check(List<String> missing, String flag, String expected, String advice) {
        HotSpotDiagnosticMXBean jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        try {
            String value = jvm.getVMOption(flag).getValue();
            if (!value.equals(expected)) {
                missing.add("JVM flag " + flag + " is " + value + ", vector kernels need " + expected + ": " + advice);
            }
        } catch (IllegalArgumentException _) {
            // A JVM without this flag has nothing to switch off.
        }
    }

    /** Loaded only when the checks have passed: the first class that touches the vector module. */
    private static final class VectorBackend {
        static CpuBackend create(int threads, MemoryAccount memory, boolean fromTheStart) {
            int bits = Lanes.FLOAT.vectorBitSize();
            if (bits < 128 && Integer.getInteger(Lanes.FORCED_BITS) == null) {
                return scalar(threads, memory,
                        List.of("this processor's vectors have only " + bits + " bits; vector kernels need 128"));
            }
            CpuKernels vector = new VectorKernels();
            return new CpuBackend(fromTheStart ? vector : new ScalarKernels(), vector, bits, threads, memory,
                    List.of());
        }
    }

    @Override
    public String name() {
        return vectorBits > 0 ? "vector" : "scalar";
    }

    @Override
    public int vectorBits() {
        return vectorBits;
    }

    @Override
    public List<String> refusals() {
        return refusals;
    }

    /** "vector kernels, 512-bit, 2 threads", and whether they are in use yet. */
    @Override
    public String description() {
        int threads = pool.threads();
        return name() + " kernels, " + (vectorBits > 0 ? vectorBits + "-bit, " : "") + threads
                + (threads == 1 ? " thread" : " threads")
                + (vectorBits > 0 && !computesOnVectors() ? " (plain Java so far: little work)" : "");
    }

    @Override
    public WorkerPool pool() {
        return pool;
    }

    @Override
    public WorkerPool readers() {
        return pool;
    }

    @Override
    public Ops openOps(int longestSequence) {
        pool.checkOpen();
        return new CpuOps(this, longestSequence);
    }

    @Override
    public MemoryAccount memory() {
        return memory;
    }

    @Override
    public WeightMemory openWeights() {
        pool.checkOpen();
        synchronized (this) {
            models++;
        }
        return new OffHeapWeights(this);
    }

    /** A model is gone; with the last one go the threads. */
    synchronized void weightsClosed() {
        if (--models == 0) {
            pool.rest();
        }
    }

    @Override
    public boolean computesOnVectors() {
        return vectorBits > 0 && kernels == chosen;
    }

    /** The kernels to use for the next op. */
    CpuKernels kernels() {
        return kernels;
    }

    /**
     * Begins to get the chosen kernels compiled on a thread of their own, as far as weights of a type need them; from
     * when they are, ops use them. That costs about a second of a processor, which small work never earns back: so
     * nothing happens until somebody has a large model or has computed for a while. Further calls for the same type do
     * nothing.
     */
    @Override
    public void warmUp(WeightType type) {
        if ((warmed & 1 << type.ordinal()) == 0) {
            beginWarmUp(type);
        }
    }

    private synchronized void beginWarmUp(WeightType type) {
        int bit = 1 << type.ordinal();
        if (vectorBits == 0 || closed || (warmed & bit) != 0) {
            return;
        }
        warmed |= bit;
        Thread before = warmUp;
        warmUp = Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("vecformer-warm-up")
                .start(() -> {
                    try {
                        if (before != null) {
                            before.join();
                        }
                        WarmUp.run(chosen, before == null, type, () -> closed);
                        kernels = chosen;
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    /** Waits until the chosen kernels have been compiled, for all types of weights, and are in use. */
    @Override
    public void awaitWarmUp() throws InterruptedException {
        for (WeightType type : WeightType.values()) {
            warmUp(type);
        }
        Thread last;
        synchronized (this) {
            last = warmUp;
        }
        if (last != null) {
            last.join();
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            pool.close();
        }
    }
}
