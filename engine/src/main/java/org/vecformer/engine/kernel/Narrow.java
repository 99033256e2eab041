package org.vecformer.engine.kernel;

import org.vecformer.engine.WeightType;

/**
 * The narrow numbers of a {@link org.vecformer.engine.tensor.PackedMatrix}, one at a time: those of 16 bits, two in a
 * word of 32 bits, low half and high half, and the integers of quantized types.
 */
final class Narrow {

    private Narrow() {
    }

    static float lowBfloat(int word) {
        return Float.intBitsToFloat(word << 16);
    }

    static float highBfloat(int word) {
        return Float.intBitsToFloat(word & 0xFFFF_0000);
    }

    static float lowHalf(int word) {
        return Float.float16ToFloat((short) word);
    }

    static float highHalf(int word) {
        return Float.float16ToFloat((short) (word >>> 16));
    }

    /** The nearest bfloat16, ties to even; NaN stays NaN. */
    static short toBfloat(float x) {
        int bits = Float.floatToRawIntBits(x);
        if (Float.isNaN(x)) {
            // The quiet bit keeps a NaN from turning into an infinity when its low half is cut off.
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    static short toHalf(float x) {
        return Float.floatToFloat16(x);
    }

    /**
     * The integers of a word. The same arithmetic as in {@link Widening}, so that even a zero has the same sign.
     *
     * @param inputs how many a word has
     * @param bits   of each
     * @param mask   of the first one, which begins at bit 8
     * @param offset what its float has too much, negated
     */
    record Integers(int inputs, int bits, int mask, float offset) {

        private static final int TWO_TO_15 = 0x4700_0000;
        private static final Integers INT8 = new Integers(4, 8, 0xFF00, -32896);
        private static final Integers INT4 = new Integers(8, 4, 0xF00, -32776);

        static Integers of(WeightType type) {
            return type == WeightType.INT8 ? INT8 : INT4;
        }

        /** scale * q of the word's first integer. */
        float first(int word, float scale) {
            return Math.fma(Float.intBitsToFloat(word & mask | TWO_TO_15), scale, offset * scale);
        }

        /** The word with its next integer first. */
        int next(int word) {
            return Integer.rotateRight(word, bits);
        }
    }
}
