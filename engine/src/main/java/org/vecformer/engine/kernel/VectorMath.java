package org.vecformer.engine.kernel;

import static jdk.incubator.vector.FloatVector.broadcast;
import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.kernel.ScalarMath.*;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The functions of {@link ScalarMath} on vectors of any species, operation by operation the same, so that every lane
 * has the bits that the scalar function gives. Formulas, coefficients and errors are documented there.
 * <p>
 * Lanes never meet, nothing is looked up in a table and nothing is converted between int and float: comparisons with
 * blends, fused multiply-adds and shifts are compiled to plain instructions at 64 to 512 bits.
 * <p>
 * C2 stops inlining methods (other than the JDK's own vector methods) into a loop that has grown to 18,000 nodes, and a
 * vector passed to a method that was not inlined is a heap object, 20 times slower. So there are few helpers here,
 * {@link #exp} is called before the polynomials, and a caller should have one of these calls in a loop of its own.
 */
final class VectorMath {
    private VectorMath() {
    }

    static FloatVector exp(FloatVector x) {
        VectorSpecies<Float> s = x.species();
        FloatVector c = x.blend(EXP_HIGH, x.compare(VectorOperators.GT, EXP_HIGH));
        c = c.blend(EXP_LOW, c.compare(VectorOperators.LT, EXP_LOW));
        FloatVector t = c.fma(broadcast(s, LOG2_E), broadcast(s, ROUND_TWO_SCALES));
        FloatVector n = t.sub(ROUND_TWO_SCALES);
        FloatVector r = n.fma(broadcast(s, -LN2_HIGH), c);
        r = n.fma(broadcast(s, -LN2_LOW), r);
        FloatVector one = broadcast(s, 1f);
        FloatVector p = broadcast(s, E6).fma(r, broadcast(s, E5));
        p = p.fma(r, broadcast(s, E4));
        p = p.fma(r, broadcast(s, E3));
        p = p.fma(r, broadcast(s, E2));
        p = p.fma(r, one);
        p = p.fma(r, one);
        IntVector bits = t.reinterpretAsInts();
        IntVector half = bits.lanewise(VectorOperators.LSHR, 1);
        FloatVector scale1 = half.lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        FloatVector scale2 = bits.sub(half).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(scale1).mul(scale2);
    }

    /**
     * x = exp(x * scale - shift) over n numbers, up to the end of the last vector. {@link #exp} once more, written out:
     * C2 inlines what calls this into attention, after tiles and sums that may have used up what it inlines, and then
     * every vector of every row would be two objects. Without calls that take vectors there are none.
     */
    static void exp(float[] x, int x0, int n, float scale, float shift) {
        FloatVector one = broadcast(FLOAT, 1f);
        for (int i = x0; i < x0 + n; i += COUNT) {
            FloatVector c = FloatVector.fromArray(FLOAT, x, i).mul(scale).sub(shift);
            c = c.blend(EXP_HIGH, c.compare(VectorOperators.GT, EXP_HIGH));
            c = c.blend(EXP_LOW, c.compare(VectorOperators.LT, EXP_LOW));
            FloatVector t = c.fma(broadcast(FLOAT, LOG2_E), broadcast(FLOAT, ROUND_TWO_SCALES));
            FloatVector m = t.sub(ROUND_TWO_SCALES);
            FloatVector r = m.fma(broadcast(FLOAT, -LN2_HIGH), c);
            r = m.fma(broadcast(FLOAT, -LN2_LOW), r);
            FloatVector p = broadcast(FLOAT, E6).fma(r, broadcast(FLOAT, E5));
            p = p.fma(r, broadcast(FLOAT, E4));
            p = p.fma(r, broadcast(FLOAT, E3));
            p = p.fma(r, broadcast(FLOAT, E2));
            p = p.fma(r, one);
            p = p.fma(r, one);
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(VectorOperators.LSHR, 1);
            FloatVector scale1 = half.lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
            FloatVector scale2 = bits.sub(half).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
            p.mul(scale1).mul(scale2).intoArray(x, i);
        }
    }

    static FloatVector tanh(FloatVector x) {
        VectorSpecies<Float> s = x.species();
        FloatVector a = x.abs();
        FloatVector e = exp(a.add(a));
        FloatVector large = broadcast(s, 1f).sub(broadcast(s, 2f).div(e.add(1f)));
        FloatVector z = a.mul(a);
        FloatVector g = broadcast(s, T4).fma(z, broadcast(s, T3));
        g = g.fma(z, broadcast(s, T2));
        g = g.fma(z, broadcast(s, T1));
        g = g.fma(z, broadcast(s, T0));
        FloatVector small = g.mul(z).fma(a, a);
        FloatVector magnitude = large.blend(small, a.compare(VectorOperators.LT, TANH_SWITCH));
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        return magnitude.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    static FloatVector sigmoid(FloatVector x) {
        FloatVector e = exp(x.abs().neg());
        FloatVector numerator = broadcast(x.species(), 1f).blend(e, x.compare(VectorOperators.LT, 0f));
        return numerator.div(e.add(1f));
    }

    static FloatVector erf(FloatVector x) {
        VectorSpecies<Float> s = x.species();
        FloatVector a = x.abs();
        a = a.blend(ERF_HIGH, a.compare(VectorOperators.GT, ERF_HIGH));
        FloatVector z = a.mul(a);
        FloatVector tail = gaussianTail(a.mul(SQRT_2), exp(z.neg()), a.fma(a, z.neg()));
        FloatVector large = tail.fma(broadcast(s, -2f), broadcast(s, 1f));
        FloatVector g = broadcast(s, R6).fma(z, broadcast(s, R5));
        g = g.fma(z, broadcast(s, R4));
        g = g.fma(z, broadcast(s, R3));
        g = g.fma(z, broadcast(s, R2));
        g = g.fma(z, broadcast(s, R1));
        g = g.fma(z, broadcast(s, R0));
        FloatVector small = a.fma(g, a);
        FloatVector magnitude = large.blend(small, a.compare(VectorOperators.LT, 1f));
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        return magnitude.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    /** Phi(-a) from a, e^(-a^2/2) rounded, and what the rounding of a^2/2 lost. */
    private static FloatVector gaussianTail(FloatVector a, FloatVector e, FloatVector low) {
        VectorSpecies<Float> s = a.species();
        FloatVector one = broadcast(s, 1f);
        FloatVector t = one.div(a.add(2f));
        FloatVector v = t.fma(broadcast(s, -4f), one);
        FloatVector p = broadcast(s, Q10).fma(v, broadcast(s, Q9));
        p = p.fma(v, broadcast(s, Q8));
        p = p.fma(v, broadcast(s, Q7));
        p = p.fma(v, broadcast(s, Q6));
        p = p.fma(v, broadcast(s, Q5));
        p = p.fma(v, broadcast(s, Q4));
        p = p.fma(v, broadcast(s, Q3));
        p = p.fma(v, broadcast(s, Q2));
        p = p.fma(v, broadcast(s, Q1));
        p = p.fma(v, broadcast(s, Q0));
        return low.neg().fma(e, e).mul(p.mul(t));
    }

    static FloatVector geluNew(FloatVector x) {
        VectorSpecies<Float> s = x.species();
        FloatVector c = x.blend(GELU_NEW_LOW, x.compare(VectorOperators.LT, GELU_NEW_LOW));
        return c.mul(sigmoid(c.mul(c.mul(c).fma(broadcast(s, GELU_NEW_CUBIC), broadcast(s, GELU_NEW_LINEAR)))));
    }

    static FloatVector gelu(FloatVector x) {
        FloatVector a = x.abs();
        a = a.blend(GELU_HIGH, a.compare(VectorOperators.GT, GELU_HIGH));
        FloatVector h = a.mul(a);
        FloatVector low = a.fma(a, h.neg());
        FloatVector tail = gaussianTail(a, exp(h.mul(0.5f).neg()), low.mul(0.5f));
        FloatVector positive = x.blend(-0f, x.compare(VectorOperators.LT, 0f));
        return a.neg().fma(tail, positive);
    }

    static FloatVector quickGelu(FloatVector x) {
        FloatVector c = x.blend(QUICK_GELU_LOW, x.compare(VectorOperators.LT, QUICK_GELU_LOW));
        return c.mul(sigmoid(c.mul(QUICK_GELU_SCALE)));
    }

    static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(VectorOperators.LT, 0f));
    }

    static FloatVector silu(FloatVector x) {
        FloatVector c = x.blend(SILU_LOW, x.compare(VectorOperators.LT, SILU_LOW));
        return c.mul(sigmoid(c));
    }
}
