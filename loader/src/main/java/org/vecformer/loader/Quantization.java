package org.vecformer.loader;

/** How the numbers of a quantized matrix are kept: integers in blocks of {@link #BLOCK}, each block with a scale. */
public enum Quantization {
    /** Integers from -127 to 127. */
    INT8(-127, 127),
    /** Integers from -8 to 7. */
    INT4(-8, 7);

    /** Inputs of a block. */
    public static final int BLOCK = 32;

    private final int least;
    private final int most;

    Quantization(int least, int most) {
        this.least = least;
        this.most = most;
    }

    /** The least integer. */
    public int least() {
        return least;
    }

    /** The greatest integer. */
    public int most() {
        return most;
    }
}
