package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.INT;

import jdk.incubator.vector.IntVector;

/**
 * Narrow weights to float32, in registers and exactly: how words of a
 * {@link org.vecformer.engine.tensor.PackedMatrix} become vectors of columns, and the constants for it.
 * <p>
 * Bfloat16: shifted left by 16, the columns in the low halves of the words; masked by {@link #HIGH_HALF}, those in the
 * high halves.
 * <p>
 * Binary16, finite: those in the low halves are shifted left by 16 first. Then words are shifted right by 3, so that
 * exponent and fraction are where a float has them, with the exponent 112 too small: a product with 2^112 mends that,
 * exactly, for subnormals too. The shift has copied the sign, and {@link #HALF_BITS} leaves one copy.
 * <p>
 * Integers: scale * q of the bytes 128 + q that lie in bits 8 to 15. Between the exponent and sign of 2^15 a byte there
 * makes the float 2^15 + 128 + q without a conversion; a fused multiply-add with scale and scale * {@link #INT8_OFFSET}
 * takes the offset off again, and its result is exact, as scales are bfloat16 numbers and have few bits. The same for
 * the half-bytes 8 + q in bits 8 to 11, with {@link #INT4_OFFSET}.
 * <p>
 * The operations are written out where they are used: as methods they would take and return vectors, and where C2 does
 * not inline such a method, as at a call that it finds cold or in a method that has grown to 18,000 nodes, each vector
 * is a heap object.
 */
final class Widening {

    /** -(2^15 + 128). */
    static final float INT8_OFFSET = -32896;
    /** -(2^15 + 8). */
    static final float INT4_OFFSET = -32776;

    static final IntVector HIGH_HALF = IntVector.broadcast(INT, 0xFFFF_0000);
    /** Sign, exponent and fraction of a binary16 that was shifted right by 3 from the upper half of a word. */
    static final IntVector HALF_BITS = IntVector.broadcast(INT, 0x8FFF_E000);
    static final float HALF_SCALE = 0x1p112f;
    static final IntVector BYTE = IntVector.broadcast(INT, 0x0000_FF00);
    static final IntVector HALF_BYTE = IntVector.broadcast(INT, 0x0000_0F00);
    /** The bits of 2^15: bit 8 of its fraction counts 1. */
    static final IntVector TWO_TO_15 = IntVector.broadcast(INT, 0x4700_0000);

    private Widening() {
    }
}
