package org.vecformer.engine.kernel;

import java.lang.foreign.SegmentAllocator;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/**
 * The memory that a model's weights live in: filled by one thread while the model is loaded, freed with it. Weights are
 * packed into what {@link #room} gives and then kept, one after the other.
 */
public interface WeightMemory extends AutoCloseable {

    /**
     * Told beforehand what will come, so that it is refused before anything is read.
     *
     * @param bytes of all weights as packed, roughly
     */
    void expect(long bytes);

    /** Gives memory of this process to pack weights into, which may be used until the next ones are kept. */
    SegmentAllocator room();

    /** Brings a matrix to where ops compute with it. */
    WeightMatrix keep(PackedMatrix matrix);

    /** Brings a vector to where ops compute with it. */
    WeightVector keep(PackedVector vector);

    /** Frees all weights. */
    @Override
    void close();
}
