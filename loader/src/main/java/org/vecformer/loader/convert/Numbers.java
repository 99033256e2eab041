package org.vecformer.loader.convert;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.vecformer.loader.DType;

/**
 * Turns floating-point numbers of one type into another: the nearest one, of two equally near ones the one with the
 * even last bit. A double goes through float.
 */
final class Numbers {
    private static final int BLOCK = 1 << 12;
    private static final int HALF_INFINITY = 0x7C00;
    private static final int BRAIN_INFINITY = 0x7F80;
    private static final int SIGN = 0x7FFF;

    private final float[] block = new float[BLOCK];
    private long overflows;

    /** How many finite numbers became infinite since the last call of this. */
    long overflows() {
        long count = overflows;
        overflows = 0;
        return count;
    }

    /**
     * Converts as many numbers as the destination has room for.
     *
     * @param from little-endian numbers of the first type
     * @param to room for the same count of the second type
     */
    void convert(MemorySegment from, DType source, MemorySegment to, DType target) {
        long count = to.byteSize() * Byte.SIZE / target.bits();
        for (long done = 0; done < count; done += BLOCK) {
            int size = (int) Math.min(BLOCK, count - done);
            widen(from, source, done, size);
            narrow(to, target, done, size);
        }
    }

    private void widen(MemorySegment from, DType source, long first, int size) {
        source.widen(from, first, block, 0, size);
        if (source == DType.F64) {
            for (int i = 0; i < size; i++) {
                if (Float.isInfinite(block[i])
                        && !Double.isInfinite(from.get(JAVA_DOUBLE_UNALIGNED, (first + i) * Double.BYTES))) {
                    overflows++;
                }
            }
        }
    }

    private void narrow(MemorySegment to, DType target, long first, int size) {
        switch (target) {
            case F32 -> MemorySegment.copy(block, 0, to, JAVA_FLOAT_UNALIGNED, first * Float.BYTES, size);
            case F16 -> {
                int infinite = 0;
                for (int i = 0; i < size; i++) {
                    short half = Float.floatToFloat16(block[i]);
                    to.set(JAVA_SHORT_UNALIGNED, (first + i) * Short.BYTES, half);
                    infinite += (half & SIGN) == HALF_INFINITY && !Float.isInfinite(block[i]) ? 1 : 0;
                }
                overflows += infinite;
            }
            case BF16 -> {
                int infinite = 0;
                for (int i = 0; i < size; i++) {
                    short brain = brain(block[i]);
                    to.set(JAVA_SHORT_UNALIGNED, (first + i) * Short.BYTES, brain);
                    infinite += (brain & SIGN) == BRAIN_INFINITY && !Float.isInfinite(block[i]) ? 1 : 0;
                }
                overflows += infinite;
            }
            default -> throw new IllegalArgumentException(target.toString());
        }
    }

    /** The nearest bfloat16. */
    private static short brain(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (value != value) {
            // Rounding could carry a number that is none into infinity.
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }
}
