package org.vecformer.engine.kernel;

/**
 * Elementary functions and activations in float32, one value at a time.
 * <p>
 * Every function here is a fixed sequence of IEEE 754 operations (add, multiply, divide, {@code Math.fma}, comparison
 * with selection, shifts of the bit pattern), and {@link VectorMath} performs the very same sequence on lanes. So a
 * value has the same bits on scalar kernels and on vector kernels of any width; whoever changes a line here changes the
 * same line there. NaN gives NaN (whose payload is not defined); no function throws.
 * <p>
 * All polynomials were fitted for this class with mpmath (40 digits): Remez exchange for exp, tanh and erf, weighted
 * least squares on Chebyshev nodes for the Gaussian tail, with the coefficients rounded to float32 one after the other,
 * lowest power first, and the remaining ones fitted again after each rounding.
 * The errors stated were measured against {@link StrictMath} in double (for erf and the Gaussian tail: against a series
 * and a continued fraction in double) by {@code ScalarMathTest}, over all exponents; the bench module's {@code
 * MathErrors} tries every float.
 */
public final class ScalarMath {
    /** Below this the exponential is less than half the smallest subnormal number. */
    static final float EXP_LOW = -104f;
    /** Above this the exponential overflows. */
    static final float EXP_HIGH = 89f;
    static final float LOG2_E = 0x1.715476p+0f;
    /** ln 2 in two parts, subtracted one after the other. */
    static final float LN2_HIGH = 0x1.62e43p-1f;
    static final float LN2_LOW = -0x1.05c61p-29f;
    /**
     * Adding 1.5 * 2^23 rounds to an integer n and leaves n in the low bits of the pattern. The further 254 is twice
     * the exponent bias, so that halving the pattern gives two biased exponents, for 2^floor(n/2) and 2^ceil(n/2).
     */
    static final float ROUND_TWO_SCALES = 0x1.8p23f + 254f;
    /** (e^r - 1 - r) / r^2 on |r| <= ln(2)/2; with them e^r has a relative error of 2^-28.2. */
    static final float E2 = 0x1.fffffcp-2f;
    static final float E3 = 0x1.55548ap-3f;
    static final float E4 = 0x1.55584ep-5f;
    static final float E5 = 0x1.123f3p-7f;
    static final float E6 = 0x1.6ad158p-10f;

    /** Where tanh changes from the polynomial to the exponential. */
    static final float TANH_SWITCH = 0.6f;
    /** (tanh(x)/x - 1) / x^2 as a polynomial in x^2 on |x| <= 0.6; tanh then has a relative error of 2^-28.4. */
    static final float T0 = -0x1.55553ep-2f;
    static final float T1 = 0x1.1109bep-3f;
    static final float T2 = -0x1.b89abap-5f;
    static final float T3 = 0x1.54c3c2p-6f;
    static final float T4 = -0x1.828774p-8f;
    /** Beyond this erf is 1 in float32. */
    static final float ERF_HIGH = 4f;
    /** (erf(x)/x - 1) as a polynomial in x^2 on |x| <= 1; erf then has a relative error of 2^-29.4. */
    static final float R0 = 0x1.06eba8p-3f;
    static final float R1 = -0x1.81273ep-2f;
    static final float R2 = 0x1.ce2ce6p-4f;
    static final float R3 = -0x1.b7f71ap-6f;
    static final float R4 = 0x1.53f224p-8f;
    static final float R5 = -0x1.a3515ep-11f;
    static final float R6 = 0x1.4771fcp-14f;
    static final float SQRT_2 = 0x1.6a09e6p+0f;
    /** (a + 2) e^(a^2/2) Phi(-a) as a polynomial in (a - 2) / (a + 2) on 0 <= a <= 14.5; relative error 2^-24.8. */
    static final float Q0 = 0x1.5845dcp-1f;
    static final float Q1 = -0x1.535bb6p-2f;
    static final float Q2 = 0x1.d7d63cp-6f;
    static final float Q3 = 0x1.2cd19ep-5f;
    static final float Q4 = -0x1.fca37ep-12f;
    static final float Q5 = -0x1.ba45f8p-8f;
    static final float Q6 = -0x1.ee0666p-10f;
    static final float Q7 = 0x1.cc5942p-11f;
    static final float Q8 = 0x1.76ea78p-11f;
    static final float Q9 = 0x1.2584c8p-15f;
    static final float Q10 = -0x1.2a44eap-14f;

    /** 2 sqrt(2/pi) and 0.044715 times it. */
    static final float GELU_NEW_LINEAR = 1.5957691216057308f;
    static final float GELU_NEW_CUBIC = 0.07135481282553145f;
    static final float QUICK_GELU_SCALE = 1.702f;
    /** Below these the activations are zero in float32; clamping there keeps 0 * -infinity away. */
    static final float GELU_NEW_LOW = -20f;
    static final float QUICK_GELU_LOW = -70f;
    static final float SILU_LOW = -110f;
    /** The same for the magnitude, where it is the magnitude that is clamped. */
    static final float GELU_HIGH = 15f;

    private ScalarMath() {
    }

    /**
     * e^x. Reduction x = n ln 2 + r with |r| <= ln(2)/2 and a polynomial of degree 6; the scaling by 2^n is done in two
     * exact halves, so that subnormal results are rounded once. Maximum error 0.9 ulp.
     */
    public static float exp(float x) {
        float c = x > EXP_HIGH ? EXP_HIGH : x;
        c = c < EXP_LOW ? EXP_LOW : c;
        float t = Math.fma(c, LOG2_E, ROUND_TWO_SCALES);
        float n = t - ROUND_TWO_SCALES;
        float r = Math.fma(n, -LN2_HIGH, c);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(E6, r, E5);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, E2);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        int bits = Float.floatToRawIntBits(t);
        int half = bits >>> 1;
        return p * Float.intBitsToFloat(half << 23) * Float.intBitsToFloat((bits - half) << 23);
    }

    /** A polynomial for |x| < 0.6, above it 1 - 2 / (e^(2|x|) + 1). Maximum error 1.4 ulp. */
    public static float tanh(float x) {
        float a = Math.abs(x);
        float z = a * a;
        float g = Math.fma(T4, z, T3);
        g = Math.fma(g, z, T2);
        g = Math.fma(g, z, T1);
        g = Math.fma(g, z, T0);
        float small = Math.fma(g * z, a, a);
        float large = 1f - 2f / (exp(a + a) + 1f);
        return withSignOf(x, a < TANH_SWITCH ? small : large);
    }

    /** 1 / (1 + e^-x), from e^-|x|, so that both sides keep their relative accuracy. Maximum error 2.5 ulp. */
    public static float sigmoid(float x) {
        float e = exp(-Math.abs(x));
        float numerator = x < 0f ? e : 1f;
        return numerator / (1f + e);
    }

    /** The error function: a polynomial below 1, one minus the Gaussian tail above. Maximum error 1.3 ulp. */
    public static float erf(float x) {
        float a = Math.abs(x);
        a = a > ERF_HIGH ? ERF_HIGH : a;
        float z = a * a;
        float g = Math.fma(R6, z, R5);
        g = Math.fma(g, z, R4);
        g = Math.fma(g, z, R3);
        g = Math.fma(g, z, R2);
        g = Math.fma(g, z, R1);
        g = Math.fma(g, z, R0);
        float small = Math.fma(a, g, a);
        float large = Math.fma(-2f, gaussianTail(a * SQRT_2, z, Math.fma(a, a, -z)), 1f);
        return withSignOf(x, a < 1f ? small : large);
    }

    /**
     * Phi(-a), the upper tail of the normal distribution, for 0 <= a <= 15.
     *
     * @param high a^2 / 2 rounded
     * @param low  what the rounding of {@code high} lost; without it the error would grow with a^2
     */
    private static float gaussianTail(float a, float high, float low) {
        float t = 1f / (a + 2f);
        float s = Math.fma(-4f, t, 1f);
        float p = Math.fma(Q10, s, Q9);
        p = Math.fma(p, s, Q8);
        p = Math.fma(p, s, Q7);
        p = Math.fma(p, s, Q6);
        p = Math.fma(p, s, Q5);
        p = Math.fma(p, s, Q4);
        p = Math.fma(p, s, Q3);
        p = Math.fma(p, s, Q2);
        p = Math.fma(p, s, Q1);
        p = Math.fma(p, s, Q0);
        float e = exp(-high);
        return Math.fma(-low, e, e) * (p * t);
    }

    /**
     * Hugging Face's {@code gelu_new} (also {@code gelu_fast}, {@code gelu_pytorch_tanh}; Hendrycks and Gimpel,
     * arXiv 1606.08415): 0.5 x (1 + tanh u) with u = sqrt(2/pi) (x + 0.044715 x^3), computed as x sigmoid(2u), which
     * is the same without the cancellation for negative x. Maximum error 3 ulp for x >= -1; below that the relative
     * error grows with u (12 ulp at -3, where the value is -0.004) and the absolute error stays under 5e-8.
     */
    public static float geluNew(float x) {
        float c = x < GELU_NEW_LOW ? GELU_NEW_LOW : x;
        return c * sigmoid(c * Math.fma(GELU_NEW_CUBIC, c * c, GELU_NEW_LINEAR));
    }

    /**
     * The exact Gaussian error linear unit x Phi(x) (arXiv 1606.08415), computed as max(x, 0) - |x| Phi(-|x|), which
     * keeps relative accuracy in the negative tail. Maximum error 5.2 ulp for x >= -13 (below, results are subnormal).
     */
    public static float gelu(float x) {
        float a = Math.abs(x);
        a = a > GELU_HIGH ? GELU_HIGH : a;
        float h = a * a;
        float low = Math.fma(a, a, -h);
        float positive = x < 0f ? -0f : x;
        return Math.fma(-a, gaussianTail(a, 0.5f * h, 0.5f * low), positive);
    }

    /** x sigmoid(1.702 x) (arXiv 1606.08415; Hugging Face's {@code quick_gelu}). Error as {@link #geluNew}. */
    public static float quickGelu(float x) {
        float c = x < QUICK_GELU_LOW ? QUICK_GELU_LOW : x;
        return c * sigmoid(QUICK_GELU_SCALE * c);
    }

    /** max(x, 0); NaN and -0 stay what they are. */
    static float relu(float x) {
        return x < 0f ? 0f : x;
    }

    /** x sigmoid(x), also called swish. Maximum error 3.1 ulp for x >= -80. */
    public static float silu(float x) {
        float c = x < SILU_LOW ? SILU_LOW : x;
        return c * sigmoid(c);
    }

    /** {@code magnitude} (not negative) with the sign bit of {@code x}. */
    private static float withSignOf(float x, float magnitude) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) | (Float.floatToRawIntBits(x) & 0x80000000));
    }
}
