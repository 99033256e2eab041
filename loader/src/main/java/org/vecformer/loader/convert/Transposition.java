package org.vecformer.loader.convert;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Turns columns into rows. */
final class Transposition {
    private Transposition() {
    }

    /**
     * Writes some columns of a matrix as rows.
     *
     * @param matrix {@code rows} rows of {@code columns} elements
     * @param first the first column
     * @param count how many columns
     * @param tile room for {@code count * rows} elements
     */
    static void tile(MemorySegment matrix, int elementBytes, long rows, long columns, long first, long count,
            MemorySegment tile) {
        for (long row = 0; row < rows; row++) {
            long from = (row * columns + first) * elementBytes;
            long to = row * elementBytes;
            long step = rows * elementBytes;
            switch (elementBytes) {
                case Integer.BYTES -> {
                    for (long i = 0; i < count; i++) {
                        tile.set(JAVA_INT_UNALIGNED, to + i * step,
                                matrix.get(JAVA_INT_UNALIGNED, from + i * Integer.BYTES));
                    }
                }
                case Short.BYTES -> {
                    for (long i = 0; i < count; i++) {
                        tile.set(JAVA_SHORT_UNALIGNED, to + i * step,
                                matrix.get(JAVA_SHORT_UNALIGNED, from + i * Short.BYTES));
                    }
                }
                case Long.BYTES -> {
                    for (long i = 0; i < count; i++) {
                        tile.set(JAVA_LONG_UNALIGNED, to + i * step,
                                matrix.get(JAVA_LONG_UNALIGNED, from + i * Long.BYTES));
                    }
                }
                default -> {
                    for (long i = 0; i < count; i++) {
                        tile.set(JAVA_BYTE, to + i * step, matrix.get(JAVA_BYTE, from + i));
                    }
                }
            }
        }
    }
}
