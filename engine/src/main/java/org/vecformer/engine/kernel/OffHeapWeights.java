package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/** Weights where they were packed: the CPU reads them there. */
final class OffHeapWeights implements WeightMemory {

    private final Arena arena = Arena.ofShared();

    /** Does nothing: the system says when there is no memory. */
    @Override
    public void expect(long bytes) {
    }

    @Override
    public SegmentAllocator room() {
        return arena;
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
    }
}
