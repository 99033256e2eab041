package org.vecformer.loader.convert;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes the elements of one new tensor, in its order and still of the source's type. */
@FunctionalInterface
interface ElementSink {

    /** @param elements the next ones, a whole number of them */
    void write(MemorySegment elements) throws IOException;
}
