package org.vecformer.engine.sampler;

/** Whole powers, with the same bits on every machine and without garbage ({@link StrictMath#pow} makes some). */
final class Power {
    private Power() {
    }

    /** base^exponent by repeated squaring; infinity if that is too large. */
    static double of(double base, int exponent) {
        double power = 1;
        double square = base;
        for (int rest = exponent; rest > 0; rest >>= 1) {
            if ((rest & 1) == 1) {
                power *= square;
            }
            square *= square;
        }
        return power;
    }
}
