package org.vecformer.loader.convert;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;

/** Elements in memory beside the heap. */
final class Bytes {
    /** The largest tensor that is ever held as a whole; the largest matrices of models have some hundred megabytes. */
    private static final long MAX_HELD = 2L << 30;

    private Bytes() {
    }

    /** Room for a whole tensor. */
    static MemorySegment allocate(Arena arena, long size, String tensor) throws FormatException {
        if (size > MAX_HELD) {
            throw new FormatException("tensor " + FormatException.quote(tensor) + " has " + size
                    + " bytes and would have to be held whole, expected at most " + MAX_HELD);
        }
        return arena.allocate(Math.max(1, size), Double.BYTES);
    }

    /** Turns the bytes of each element round. */
    static void swap(MemorySegment elements, DType dtype) {
        // A complex number is two floats.
        int elementBytes = dtype == DType.C64 ? Float.BYTES : dtype.bits() / Byte.SIZE;
        for (long at = 0; at + elementBytes <= elements.byteSize(); at += elementBytes) {
            switch (elementBytes) {
                case Short.BYTES -> elements.set(JAVA_SHORT_UNALIGNED, at,
                        Short.reverseBytes(elements.get(JAVA_SHORT_UNALIGNED, at)));
                case Integer.BYTES -> elements.set(JAVA_INT_UNALIGNED, at,
                        Integer.reverseBytes(elements.get(JAVA_INT_UNALIGNED, at)));
                case Long.BYTES -> elements.set(JAVA_LONG_UNALIGNED, at,
                        Long.reverseBytes(elements.get(JAVA_LONG_UNALIGNED, at)));
                default -> {
                    return;
                }
            }
        }
    }

    /** A whole tensor that is read from memory, which is freed at the end. */
    static final class Held implements TensorReader {
        private final Arena arena;
        private final MemorySegment elements;
        private long done;

        Held(Arena arena, MemorySegment elements) {
            this.arena = arena;
            this.elements = elements;
        }

        @Override
        public void next(MemorySegment destination) {
            destination.copyFrom(elements.asSlice(done, destination.byteSize()));
            done += destination.byteSize();
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
