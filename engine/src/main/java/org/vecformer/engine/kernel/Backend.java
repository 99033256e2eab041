package org.vecformer.engine.kernel;

import java.util.List;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.MemoryAccount;

/**
 * What computes: the CPU or a device. Makes the memory of models and the ops of sessions, and is shared by all of them.
 * Thread-safe.
 */
public interface Backend extends AutoCloseable {

    /** "vector", "scalar" or "opencl". */
    String name();

    /** For people, in one line. */
    String description();

    /** Bits of the CPU's vectors; 0 where it does not compute with them. */
    int vectorBits();

    /** Whether the next step computes on the CPU's vectors. */
    boolean computesOnVectors();

    /** Why a better backend was not chosen: one line for each refusal. */
    List<String> refusals();

    /** The threads of this process that work for it. */
    WorkerPool pool();

    /** The threads that may read a session's tensors at the same time: one alone where a device's queue carries them. */
    WorkerPool readers();

    /** Begins to get ready for weights of a type, where that takes time; see {@link CpuBackend#warmUp}. */
    void warmUp(WeightType type);

    /** Waits until everything is ready, as a benchmark wants it. */
    void awaitWarmUp() throws InterruptedException;

    /** What its models and sessions hold. */
    MemoryAccount memory();

    /**
     * Memory for a model's weights. When the last such memory is closed, the threads end; they begin anew with work.
     *
     * @throws ClosedException if this is closed
     */
    WeightMemory openWeights();

    /**
     * The ops for one session.
     *
     * @param longestSequence the most positions that attention will look at
     * @throws ClosedException if this is closed
     */
    Ops openOps(int longestSequence);

    /** Ends what it holds. Close it after its models and sessions. */
    @Override
    void close();
}
