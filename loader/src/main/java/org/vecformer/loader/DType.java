package org.vecformer.loader;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The element types of the safetensors format, by the names that stand in its headers. (The list is that of the
 * format's own implementation, version 0.8.)
 */
public enum DType {
    /** One byte, 0 or 1. */
    BOOL(8),
    /** 4-bit float, two to a byte. */
    F4(4),
    /** 6-bit float, 2 exponent bits, four to three bytes. */
    F6_E2M3(6),
    /** 6-bit float, 3 exponent bits, four to three bytes. */
    F6_E3M2(6),
    /** Unsigned byte. */
    U8(8),
    /** Signed byte. */
    I8(8),
    /** 8-bit float, 5 exponent bits. */
    F8_E5M2(8),
    /** 8-bit float, 4 exponent bits. */
    F8_E4M3(8),
    /** 8-bit scale, a power of two. */
    F8_E8M0(8),
    /** 8-bit float, 4 exponent bits, no infinities, no negative zero. */
    F8_E4M3FNUZ(8),
    /** 8-bit float, 5 exponent bits, no infinities, no negative zero. */
    F8_E5M2FNUZ(8),
    /** Signed 16-bit integer. */
    I16(16),
    /** Unsigned 16-bit integer. */
    U16(16),
    /** IEEE 754 half precision. */
    F16(16),
    /** bfloat16: the upper half of a float. */
    BF16(16),
    /** Signed 32-bit integer. */
    I32(32),
    /** Unsigned 32-bit integer. */
    U32(32),
    /** IEEE 754 single precision. */
    F32(32),
    /** A complex number of two floats. */
    C64(64),
    /** IEEE 754 double precision. */
    F64(64),
    /** Signed 64-bit integer. */
    I64(64),
    /** Unsigned 64-bit integer. */
    U64(64);

    private static final Map<String, DType> BY_NAME = new HashMap<>();

    static {
        for (DType dtype : values()) {
            BY_NAME.put(dtype.name(), dtype);
        }
    }

    private final int bits;

    DType(int bits) {
        this.bits = bits;
    }

    /** Bits of one element: 4, 6, 8, 16, 32 or 64. */
    public int bits() {
        return bits;
    }

    /** Whether it is one of the floating-point types that {@link #widen} reads: F16, BF16, F32, F64. */
    public boolean isFloat() {
        return switch (this) {
            case F16, BF16, F32, F64 -> true;
            default -> false;
        };
    }

    /**
     * Reads little-endian numbers of this type as float32; a float64 is rounded to the nearest one.
     *
     * @param data the numbers
     * @param first the index of the first one to read
     * @param to receives them
     * @param at where the first one goes
     * @param count how many
     * @throws IllegalArgumentException if the type is not {@linkplain #isFloat one of those}
     */
    public void widen(MemorySegment data, long first, float[] to, int at, int count) {
        switch (this) {
            case F32 -> MemorySegment.copy(data, JAVA_FLOAT_UNALIGNED, first * Float.BYTES, to, at, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    to[at + i] = Float.float16ToFloat(data.get(JAVA_SHORT_UNALIGNED, (first + i) * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    to[at + i] = Float
                            .intBitsToFloat(data.get(JAVA_SHORT_UNALIGNED, (first + i) * Short.BYTES) << 16);
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    to[at + i] = (float) data.get(JAVA_DOUBLE_UNALIGNED, (first + i) * Double.BYTES);
                }
            }
            default -> throw new IllegalArgumentException("numbers of type " + this
                    + " are not read as float32; expected F16, BF16, F32 or F64");
        }
    }

    /** The type with this name, exactly as headers write it (upper case). */
    public static Optional<DType> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }
}
