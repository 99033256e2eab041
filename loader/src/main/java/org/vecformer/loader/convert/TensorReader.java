package org.vecformer.loader.convert;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Hands out one tensor's elements in order: the last dimension is contiguous, every element little-endian.
 */
interface TensorReader extends Closeable {

    /**
     * Fills the native memory with the next bytes, a whole number of elements. The last bytes come only if the tensor's
     * checksum, where there is one, agrees.
     */
    void next(MemorySegment destination) throws IOException;

    @Override
    default void close() {
        // Most readers own nothing.
    }
}
