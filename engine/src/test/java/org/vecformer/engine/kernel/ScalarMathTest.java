package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Each function against double precision, over every exponent; the bounds are those that {@link ScalarMath} states. */
class ScalarMathTest {
    private static final float[] SAMPLES = FloatSamples.all();
    private static final float MAX = Float.POSITIVE_INFINITY;

    private interface FloatFunction {
        float at(float x);
    }

    @Test
    void expIsWithinAnUlpFromZeroToInfinity() {
        assertUlp(ScalarMath::exp, StrictMath::exp, -MAX, MAX, 0.9);
        assertThat(ScalarMath.exp(Float.NEGATIVE_INFINITY)).isEqualTo(0f);
        assertThat(ScalarMath.exp(-104f)).isEqualTo(0f);
        assertThat(ScalarMath.exp(-103.97f)).isEqualTo(Float.MIN_VALUE);
        assertThat(ScalarMath.exp(88.73f)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(ScalarMath.exp(0f)).isEqualTo(1f);
        assertThat(ScalarMath.exp(-0f)).isEqualTo(1f);
    }

    @Test
    void expNeverDecreases() {
        float before = 0f;
        for (float x = -105f; x < 89f; x += 1.37e-4f) {
            float value = ScalarMath.exp(x);
            assertThat(value).as("exp(%s)", x).isGreaterThanOrEqualTo(before);
            before = value;
        }
    }

    @Test
    void tanhIsAccurateOddAndBounded() {
        assertUlp(ScalarMath::tanh, StrictMath::tanh, -MAX, MAX, 1.4);
        assertOdd(ScalarMath::tanh);
    }

    @Test
    void sigmoidIsAccurateOnBothSides() {
        assertUlp(ScalarMath::sigmoid, ScalarMathTest::sigmoid, -MAX, MAX, 2.5);
        assertThat(ScalarMath.sigmoid(Float.NEGATIVE_INFINITY)).isEqualTo(0f);
        assertThat(ScalarMath.sigmoid(Float.POSITIVE_INFINITY)).isEqualTo(1f);
    }

    @Test
    void erfIsAccurateOddAndBounded() {
        assertUlp(ScalarMath::erf, ScalarMathTest::erf, -MAX, MAX, 1.3);
        assertOdd(ScalarMath::erf);
    }

    @Test
    void geluNewIsAccurateWhereItMattersAndCloseElsewhere() {
        DoubleUnaryOperator exact = x -> x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
        assertUlp(ScalarMath::geluNew, exact, -1f, MAX, 3);
        assertUlp(ScalarMath::geluNew, exact, -3f, 0f, 12.5);
        assertAbsolute(ScalarMath::geluNew, exact, -MAX, 0f, 5e-8);
        assertLimits(ScalarMath::geluNew);
    }

    @Test
    void geluKeepsRelativeAccuracyInTheNegativeTail() {
        DoubleUnaryOperator exact = x -> Math.max(x, 0) - Math.abs(x) * upperTail(Math.abs(x));
        assertUlp(ScalarMath::gelu, exact, -13f, MAX, 5.2);
        assertAbsolute(ScalarMath::gelu, exact, -MAX, 0f, 6e-8);
        assertLimits(ScalarMath::gelu);
    }

    @Test
    void quickGeluIsAccurateWhereItMattersAndCloseElsewhere() {
        DoubleUnaryOperator exact = x -> x * sigmoid(1.702 * x);
        assertUlp(ScalarMath::quickGelu, exact, -1f, MAX, 3);
        assertAbsolute(ScalarMath::quickGelu, exact, -MAX, 0f, 5e-8);
        assertLimits(ScalarMath::quickGelu);
    }

    @Test
    void siluIsAccurate() {
        DoubleUnaryOperator exact = x -> x * sigmoid(x);
        assertUlp(ScalarMath::silu, exact, -80f, MAX, 3.1);
        assertAbsolute(ScalarMath::silu, exact, -MAX, 0f, 5e-8);
        assertLimits(ScalarMath::silu);
    }

    @Test
    void reluCutsAtZero() {
        for (float x : SAMPLES) {
            float value = ScalarMath.relu(x);
            if (!(value == Math.max(x, 0f) || Float.isNaN(x) && Float.isNaN(value))) {
                assertThat(value).as("relu(%s)", x).isEqualTo(Math.max(x, 0f));
            }
        }
    }

    @Test
    void notANumberStaysSo() {
        for (FloatFunction f : new FloatFunction[]{ScalarMath::exp, ScalarMath::tanh, ScalarMath::sigmoid,
            ScalarMath::erf, ScalarMath::geluNew, ScalarMath::gelu, ScalarMath::quickGelu, ScalarMath::relu,
            ScalarMath::silu}) {
            assertThat(f.at(Float.NaN)).isNaN();
            assertThat(f.at(Float.intBitsToFloat(0xffc01234))).isNaN();
        }
    }

    /** The references themselves, against values printed in tables (Abramowitz and Stegun 7.1, 26.2). */
    @Test
    void theReferencesAreRight() {
        assertThat(erf(0.5)).isCloseTo(0.5204998778130465, within(1e-15));
        assertThat(erf(1.0)).isCloseTo(0.8427007929497149, within(1e-15));
        assertThat(erf(2.5)).isCloseTo(0.9995930479825550, within(1e-15));
        assertThat(upperTail(1) / 0.15865525393145705).isCloseTo(1, within(1e-14));
        assertThat(upperTail(5) / 2.866515718791939e-7).isCloseTo(1, within(1e-13));
        assertThat(upperTail(10) / 7.61985302416047e-24).isCloseTo(1, within(1e-13));
    }

    private static org.assertj.core.data.Offset<Double> within(double value) {
        return org.assertj.core.api.Assertions.within(value);
    }

    private static void assertUlp(FloatFunction f, DoubleUnaryOperator exact, float low, float high, double bound) {
        double worst = 0;
        float worstAt = 0;
        for (float x : SAMPLES) {
            // Infinities are edge cases of their own, where 0 * inf may defeat the reference.
            if (!(x >= low && x <= high) || Float.isInfinite(x)) {
                continue;
            }
            double expected = exact.applyAsDouble(x);
            float rounded = (float) expected;
            float actual = f.at(x);
            if (Float.isInfinite(rounded) || Float.isInfinite(actual)) {
                assertThat(actual).as("at %s", x).isEqualTo(rounded);
                continue;
            }
            double error = Math.abs(actual - expected) / Math.ulp(rounded);
            if (!(error <= worst)) {
                worst = error;
                worstAt = x;
            }
        }
        assertThat(worst).as("error in ulp, largest at %s", worstAt).isLessThanOrEqualTo(bound);
    }

    private static void assertAbsolute(FloatFunction f, DoubleUnaryOperator exact, float low, float high,
            double bound) {
        double worst = 0;
        float worstAt = 0;
        for (float x : SAMPLES) {
            if (x >= low && x <= high && !Float.isInfinite(x)) {
                double error = Math.abs(f.at(x) - exact.applyAsDouble(x));
                if (!(error <= worst)) {
                    worst = error;
                    worstAt = x;
                }
            }
        }
        assertThat(worst).as("absolute error, largest at %s", worstAt).isLessThanOrEqualTo(bound);
    }

    private static void assertOdd(FloatFunction f) {
        for (float x : SAMPLES) {
            if (!Float.isNaN(x)) {
                assertThat(f.at(-x)).isEqualTo(-f.at(x));
                assertThat(Math.abs(f.at(x))).isLessThanOrEqualTo(1f);
            }
        }
        assertThat(f.at(Float.POSITIVE_INFINITY)).isEqualTo(1f);
        assertThat(Float.floatToRawIntBits(f.at(-0f))).isEqualTo(0x80000000);
    }

    /** An activation that is 0 far on the left and x far on the right. */
    private static void assertLimits(FloatFunction f) {
        assertThat(f.at(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(f.at(-Float.MAX_VALUE)).isZero();
        assertThat(f.at(0f)).isEqualTo(0f);
        assertThat(f.at(-0f)).isEqualTo(-0f);
        assertThat(f.at(1e30f)).isEqualTo(1e30f);
        assertThat(f.at(Float.MAX_VALUE)).isEqualTo(Float.MAX_VALUE);
        assertThat(f.at(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    }

    private static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + StrictMath.exp(-x)) : StrictMath.exp(x) / (1 + StrictMath.exp(x));
    }

    private static double erf(double x) {
        double a = Math.abs(x);
        double value = a < 2 ? erfSeries(a) : 1 - 2 * upperTail(a * Math.sqrt(2));
        return Math.copySign(value, x);
    }

    /** Phi(-a). */
    private static double upperTail(double a) {
        double z = a / Math.sqrt(2);
        if (z < 2) {
            return 0.5 - erfSeries(z) / 2;
        }
        double fraction = 0;
        for (int k = 120; k >= 1; k--) {
            fraction = k / 2.0 / (z + fraction);
        }
        return StrictMath.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction) / 2;
    }

    private static double erfSeries(double z) {
        double term = z;
        double sum = z;
        for (int k = 1; term > 1e-18 * sum; k++) {
            term *= 2 * z * z / (2 * k + 1);
            sum += term;
        }
        return 2 * sum * StrictMath.exp(-z * z) / Math.sqrt(Math.PI);
    }
}
