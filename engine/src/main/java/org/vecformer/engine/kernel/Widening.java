package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.INT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Narrow weights to float32, in registers and exactly: words of a {@link org.vecformer.engine.tensor.PackedMatrix} in,
 * vectors of columns out.
 */
final class Widening {

    /** -(2^15 + 128): see {@link #int8}. */
    static final float INT8_OFFSET = -32896;
    /** -(2^15 + 8): see {@link #int4}. */
    static final float INT4_OFFSET = -32776;

    private static final IntVector HIGH_HALF = IntVector.broadcast(INT, 0xFFFF_0000);
    /** Sign, exponent and fraction of a binary16 that was shifted right by 3 from the upper half of a word. */
    private static final IntVector HALF_BITS = IntVector.broadcast(INT, 0x8FFF_E000);
    private static final float HALF_SCALE = 0x1p112f;
    private static final IntVector BYTE = IntVector.broadcast(INT, 0x0000_FF00);
    private static final IntVector HALF_BYTE = IntVector.broadcast(INT, 0x0000_0F00);
    /** The bits of 2^15: bit 8 of its fraction counts 1. */
    private static final IntVector TWO_TO_15 = IntVector.broadcast(INT, 0x4700_0000);

    private Widening() {
    }

    /** The columns in the low halves of bfloat16 words. */
    static FloatVector lowBfloats(IntVector words) {
        return words.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** The columns in their high halves. */
    static FloatVector highBfloats(IntVector words) {
        return words.and(HIGH_HALF).reinterpretAsFloats();
    }

    /** The columns in the low halves of binary16 words, which are finite. */
    static FloatVector lowHalves(IntVector words) {
        return highHalves(words.lanewise(VectorOperators.LSHL, 16));
    }

    /**
     * The columns in their high halves. Shifted right by 3, exponent and fraction are where a float has them, with the
     * exponent 112 too small: a product with 2^112 mends that, exactly, for subnormals too. The shift has copied the
     * sign, and the mask leaves one copy.
     */
    static FloatVector highHalves(IntVector words) {
        return words.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF_SCALE);
    }

    /**
     * scale * q of the bytes 128 + q that lie in bits 8 to 15. Between the exponent and sign of 2^15 a byte there makes
     * the float 2^15 + 128 + q without a conversion; a fused multiply-add takes the offset off again, and its result is
     * exact, as scale and offset have few bits.
     *
     * @param scale  bfloat16 numbers
     * @param offset scale * {@link #INT8_OFFSET}
     */
    static FloatVector int8(IntVector words, FloatVector scale, FloatVector offset) {
        return words.and(BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(scale, offset);
    }

    /** The same for the half-bytes 8 + q in bits 8 to 11. */
    static FloatVector int4(IntVector words, FloatVector scale, FloatVector offset) {
        return words.and(HALF_BYTE).or(TWO_TO_15).reinterpretAsFloats().fma(scale, offset);
    }
}
