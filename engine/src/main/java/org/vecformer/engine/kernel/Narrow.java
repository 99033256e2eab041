package org.vecformer.engine.kernel;

/**
 * The 16-bit numbers of a {@link org.vecformer.engine.tensor.PackedMatrix}: two in a word of 32 bits, low
 * half and high half.
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
}
