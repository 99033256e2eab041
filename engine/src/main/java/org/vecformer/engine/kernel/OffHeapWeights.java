package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import org.vecformer.engine.tensor.MemoryAccount;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/** Weights where they were packed: the CPU reads them there. */
final class OffHeapWeights implements WeightMemory {

    private final CpuBackend backend;
    private final Arena arena = Arena.ofShared();
    private final MemoryAccount.Share share;

    OffHeapWeights(CpuBackend backend) {
        this.backend = backend;
        share = backend.memory().open(MemoryAccount.Purpose.WEIGHTS);
    }

    @Override
    public void expect(long bytes) {
        share.check(bytes);
    }

    @Override
    public SegmentAllocator room() {
        return (bytes, alignment) -> {
            share.take(bytes);
            return arena.allocate(bytes, alignment);
        };
    }

    @Override
    public WeightMatrix keep(PackedMatrix matrix) {
        return matrix;
    }

    @Override
    public WeightVector keep(PackedVector vector) {
        return vector;
    }

    @Override
    public void close() {
        arena.close();
        share.close();
        backend.weightsClosed();
    }
}
