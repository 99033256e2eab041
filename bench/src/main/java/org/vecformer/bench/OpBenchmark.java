package org.vecformer.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.kernel.CpuBackend;
import org.vecformer.engine.kernel.Ops;

/**
 * What the benchmarks of single ops share: each runs on plain kernels and on vector kernels, with all else the same,
 * and is checked in the state that the timed code left it in, so that it is what C2 compiled that is checked too. The
 * warm-up is long: C2 compiles some vector kernels more than once before they are fast.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public abstract class OpBenchmark {

    /** The positions that attention has room for. */
    static final int LONGEST_SEQUENCE = 1024;

    /** The twins. */
    @Param({"SCALAR", "VECTOR"})
    public BackendChoice backend;

    /** Threads; 0 for one per processor. */
    @Param("0")
    public int threads;

    private CpuBackend cpu;
    private Arena arena;
    Ops ops;

    @Setup(Level.Trial)
    public final void open() throws IOException, InterruptedException {
        cpu = open(backend, threads);
        arena = Arena.ofShared();
        ops = cpu.openOps(LONGEST_SEQUENCE);
        cpu.awaitWarmUp();
        prepare(new Operands(arena, cpu.pool()), arena);
        compute();
        check();
    }

    static CpuBackend open(BackendChoice backend, int threads) {
        int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        if (backend == BackendChoice.SCALAR) {
            return CpuBackend.scalar(count);
        }
        CpuBackend vector = CpuBackend.best(count, true);
        if (!vector.refusals().isEmpty()) {
            vector.close();
            throw new IllegalStateException("there would be no vector kernels to measure: " + vector.refusals());
        }
        return vector;
    }

    /** Makes the operands. */
    abstract void prepare(Operands operands, Arena memory) throws IOException;

    /** What is timed. */
    abstract void compute();

    /** Compares what {@link #compute} left behind with plain loops in double. */
    abstract void check();

    @TearDown(Level.Trial)
    public final void checkAndClose() {
        try {
            check();
        } finally {
            ops.close();
            arena.close();
            cpu.close();
        }
    }
}
