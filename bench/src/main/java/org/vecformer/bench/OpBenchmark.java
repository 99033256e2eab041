package org.vecformer.bench;

import java.io.IOException;
import java.util.Arrays;
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
import org.vecformer.engine.Engine;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/**
 * What the benchmarks of single ops share: each runs on plain kernels, on vector kernels, and on an OpenCL device if
 * that is asked for ({@link Twin}), with all else the same. It is checked in the state that the timed code left it in, so
 * that it is what C2 compiled that is checked too. A device has done its work when an invocation ends. The warm-up is
 * long: C2 compiles some vector kernels more than once before they are fast.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public abstract class OpBenchmark {

    /** The positions that attention has room for. */
    static final int LONGEST_SEQUENCE = 1024;

    /** The twins; OPENCL too where a device is to be measured. */
    @Param({"SCALAR", "VECTOR"})
    public Twin backend;

    /** Threads; 0 for one per processor. */
    @Param("0")
    public int threads;

    private Engine engine;
    private WeightMemory weightMemory;
    Ops ops;

    @Setup(Level.Trial)
    public final void open() throws IOException, InterruptedException {
        engine = backend.open(threads);
        weightMemory = engine.compute().openWeights();
        ops = engine.compute().openOps(LONGEST_SEQUENCE);
        engine.awaitWarmUp();
        prepare(new Operands(weightMemory.room(), engine.compute().pool()));
        compute();
        check();
    }

    /** Makes the operands, each of which is kept before the next one is made. */
    abstract void prepare(Operands operands) throws IOException;

    final WeightMatrix keep(Operands.Matrix matrix) {
        return weightMemory.keep(matrix.packed());
    }

    final WeightVector keep(Operands.Vector vector) {
        return weightMemory.keep(vector.packed());
    }

    /** A copy of activations where ops compute with them. */
    final Tensor upload(HeapTensor plain) {
        Tensor tensor = ops.tensor(plain.rows(), plain.columns());
        for (int r = 0; r < plain.rows(); r++) {
            ops.write(Arrays.copyOfRange(plain.data(), plain.offset(r), plain.offset(r) + plain.columns()), tensor, r);
        }
        return tensor;
    }

    /** A copy of what was computed. */
    final HeapTensor download(Tensor tensor) {
        HeapTensor plain = HeapTensor.zeros(tensor.rows(), tensor.columns());
        float[] row = new float[tensor.columns()];
        for (int r = 0; r < tensor.rows(); r++) {
            ops.read(tensor, r, row);
            System.arraycopy(row, 0, plain.data(), plain.offset(r), row.length);
        }
        return plain;
    }

    /** What is timed; done when it returns. */
    final void compute() {
        run();
        ops.await();
    }

    /** The op. */
    abstract void run();

    /** Compares what {@link #compute} left behind with plain loops in double. */
    abstract void check();

    @TearDown(Level.Trial)
    public final void checkAndClose() {
        try {
            check();
        } finally {
            ops.close();
            weightMemory.close();
            engine.close();
        }
    }
}
