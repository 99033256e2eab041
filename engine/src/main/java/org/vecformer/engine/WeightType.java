package org.vecformer.engine;

/** How the numbers of a weight matrix are kept in memory. They are widened exactly to float32 as they are used. */
public enum WeightType {
    /** IEEE 754 binary32. */
    F32(32, false),
    /** IEEE 754 binary16. */
    F16(16, false),
    /** The upper half of a binary32. */
    BF16(16, false),
    /** Blocks of 32 inputs of an output: a bfloat16 scale times integers from -127 to 127. */
    INT8(8, true),
    /** Blocks of 32 inputs of an output: a bfloat16 scale times integers from -8 to 7. */
    INT4(4, true);

    /** Inputs of a quantized block, which share one scale. */
    public static final int BLOCK = 32;

    private final int bits;
    private final boolean quantized;

    WeightType(int bits, boolean quantized) {
        this.bits = bits;
        this.quantized = quantized;
    }

    /** Whether numbers are kept as integers in blocks that share a scale. */
    public boolean quantized() {
        return quantized;
    }

    /** Bytes of {@link #BLOCK} numbers, their scale included. */
    public int blockBytes() {
        return BLOCK * bits / Byte.SIZE + (quantized ? Short.BYTES : 0);
    }
}
