package org.vecformer.engine.kernel;

import static org.vecformer.engine.kernel.Lanes.COUNT;
import static org.vecformer.engine.kernel.Lanes.FLOAT;
import static org.vecformer.engine.kernel.Lanes.INDEX;
import static org.vecformer.engine.kernel.Sums.PARTIALS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * {@link Sums} with vectors. A vector holds the partial sums j to j + lanes - 1; it strides over the row in steps of
 * 16. The first levels of the tree add vectors, the last ones lanes of one vector.
 * <p>
 * The last 1 to 16 numbers of a row are always taken by themselves, with zeros past the end: adding +0 changes no sum
 * that began at +0.
 * <p>
 * There are no helpers that take or return vectors: where the JIT does not inline one, as at a call that it finds cold,
 * the vector becomes a heap object.
 */
final class VectorSums {

    private static final VectorShuffle<Float> DOWN_8 = down(8), DOWN_4 = down(4), DOWN_2 = down(2), DOWN_1 = down(1);

    private VectorSums() {
    }

    private static VectorShuffle<Float> down(int lanes) {
        return VectorShuffle.iota(FLOAT, lanes, 1, true);
    }

    /** The sum of n numbers; n is at least 1, and the row has room up to the next multiple of 16. */
    static float of(float[] x, int x0, int n) {
        return switch (COUNT) {
            case 16 -> of16(x, x0, n);
            case 8 -> of8(x, x0, n);
            case 4 -> of4(x, x0, n);
            // Two lanes are too few to gain anything.
            default -> Sums.of(x, x0, n);
        };
    }

    /** The sum of (x - mean)^2. */
    static float ofSquaredDifferences(float[] x, int x0, int n, float mean) {
        return switch (COUNT) {
            case 16 -> squares16(x, x0, n, mean);
            case 8 -> squares8(x, x0, n, mean);
            case 4 -> squares4(x, x0, n, mean);
            default -> Sums.ofSquaredDifferences(x, x0, n, mean);
        };
    }

    /**
     * The largest of n numbers, NaN aside; negative infinity if there is none. By comparison and selection: the maximum
     * that Java defines takes five instructions one after the other, which a long row would wait for.
     */
    static float max(float[] x, int x0, int n) {
        FloatVector even = FloatVector.broadcast(FLOAT, Float.NEGATIVE_INFINITY), odd = even;
        int i = 0;
        for (; i + 2 * COUNT < n; i += 2 * COUNT) {
            FloatVector v = FloatVector.fromArray(FLOAT, x, x0 + i);
            FloatVector w = FloatVector.fromArray(FLOAT, x, x0 + i + COUNT);
            even = even.blend(v, v.compare(VectorOperators.GT, even));
            odd = odd.blend(w, w.compare(VectorOperators.GT, odd));
        }
        for (; i < n; i += COUNT) {
            FloatVector v = FloatVector.fromArray(FLOAT, x, x0 + i).blend(Float.NEGATIVE_INFINITY,
                    INDEX.compare(VectorOperators.GE, (float) (n - i)));
            even = even.blend(v, v.compare(VectorOperators.GT, even));
        }
        even = even.blend(odd, odd.compare(VectorOperators.GT, even));
        // A vector of fewer lanes meets itself first, which changes nothing.
        FloatVector other = even.rearrange(DOWN_8);
        even = even.blend(other, other.compare(VectorOperators.GT, even));
        other = even.rearrange(DOWN_4);
        even = even.blend(other, other.compare(VectorOperators.GT, even));
        other = even.rearrange(DOWN_2);
        even = even.blend(other, other.compare(VectorOperators.GT, even));
        other = even.rearrange(DOWN_1);
        return even.blend(other, other.compare(VectorOperators.GT, even)).lane(0);
    }

    private static float of16(float[] x, int x0, int n) {
        FloatVector s = FloatVector.zero(FLOAT);
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            s = s.add(FloatVector.fromArray(FLOAT, x, x0 + i));
        }
        float left = n - i;
        s = s.add(FloatVector.fromArray(FLOAT, x, x0 + i).blend(0, INDEX.compare(VectorOperators.GE, left)));
        s = s.add(s.rearrange(DOWN_8));
        s = s.add(s.rearrange(DOWN_4));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }

    private static float squares16(float[] x, int x0, int n, float mean) {
        FloatVector s = FloatVector.zero(FLOAT);
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            FloatVector d = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean);
            s = d.fma(d, s);
        }
        float left = n - i;
        FloatVector d = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left));
        s = d.fma(d, s);
        s = s.add(s.rearrange(DOWN_8));
        s = s.add(s.rearrange(DOWN_4));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }

    private static float of8(float[] x, int x0, int n) {
        FloatVector s0 = FloatVector.zero(FLOAT), s8 = s0;
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            s0 = s0.add(FloatVector.fromArray(FLOAT, x, x0 + i));
            s8 = s8.add(FloatVector.fromArray(FLOAT, x, x0 + i + 8));
        }
        float left = n - i;
        s0 = s0.add(FloatVector.fromArray(FLOAT, x, x0 + i).blend(0, INDEX.compare(VectorOperators.GE, left)));
        s8 = s8.add(FloatVector.fromArray(FLOAT, x, x0 + i + 8).blend(0, INDEX.compare(VectorOperators.GE, left - 8)));
        FloatVector s = s0.add(s8);
        s = s.add(s.rearrange(DOWN_4));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }

    private static float squares8(float[] x, int x0, int n, float mean) {
        FloatVector s0 = FloatVector.zero(FLOAT), s8 = s0;
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            FloatVector d0 = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean);
            FloatVector d8 = FloatVector.fromArray(FLOAT, x, x0 + i + 8).sub(mean);
            s0 = d0.fma(d0, s0);
            s8 = d8.fma(d8, s8);
        }
        float left = n - i;
        FloatVector d0 = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left));
        FloatVector d8 = FloatVector.fromArray(FLOAT, x, x0 + i + 8).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left - 8));
        FloatVector s = d0.fma(d0, s0).add(d8.fma(d8, s8));
        s = s.add(s.rearrange(DOWN_4));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }

    private static float of4(float[] x, int x0, int n) {
        FloatVector s0 = FloatVector.zero(FLOAT), s4 = s0, s8 = s0, s12 = s0;
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            s0 = s0.add(FloatVector.fromArray(FLOAT, x, x0 + i));
            s4 = s4.add(FloatVector.fromArray(FLOAT, x, x0 + i + 4));
            s8 = s8.add(FloatVector.fromArray(FLOAT, x, x0 + i + 8));
            s12 = s12.add(FloatVector.fromArray(FLOAT, x, x0 + i + 12));
        }
        float left = n - i;
        s0 = s0.add(FloatVector.fromArray(FLOAT, x, x0 + i).blend(0, INDEX.compare(VectorOperators.GE, left)));
        s4 = s4.add(FloatVector.fromArray(FLOAT, x, x0 + i + 4).blend(0, INDEX.compare(VectorOperators.GE, left - 4)));
        s8 = s8.add(FloatVector.fromArray(FLOAT, x, x0 + i + 8).blend(0, INDEX.compare(VectorOperators.GE, left - 8)));
        s12 = s12.add(
                FloatVector.fromArray(FLOAT, x, x0 + i + 12).blend(0, INDEX.compare(VectorOperators.GE, left - 12)));
        FloatVector s = s0.add(s8).add(s4.add(s12));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }

    private static float squares4(float[] x, int x0, int n, float mean) {
        FloatVector s0 = FloatVector.zero(FLOAT), s4 = s0, s8 = s0, s12 = s0;
        int i = 0;
        for (; i + PARTIALS < n; i += PARTIALS) {
            FloatVector d0 = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean);
            FloatVector d4 = FloatVector.fromArray(FLOAT, x, x0 + i + 4).sub(mean);
            FloatVector d8 = FloatVector.fromArray(FLOAT, x, x0 + i + 8).sub(mean);
            FloatVector d12 = FloatVector.fromArray(FLOAT, x, x0 + i + 12).sub(mean);
            s0 = d0.fma(d0, s0);
            s4 = d4.fma(d4, s4);
            s8 = d8.fma(d8, s8);
            s12 = d12.fma(d12, s12);
        }
        float left = n - i;
        FloatVector d0 = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left));
        FloatVector d4 = FloatVector.fromArray(FLOAT, x, x0 + i + 4).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left - 4));
        FloatVector d8 = FloatVector.fromArray(FLOAT, x, x0 + i + 8).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left - 8));
        FloatVector d12 = FloatVector.fromArray(FLOAT, x, x0 + i + 12).sub(mean).blend(0,
                INDEX.compare(VectorOperators.GE, left - 12));
        FloatVector s = d0.fma(d0, s0).add(d8.fma(d8, s8)).add(d4.fma(d4, s4).add(d12.fma(d12, s12)));
        s = s.add(s.rearrange(DOWN_2));
        return s.add(s.rearrange(DOWN_1)).lane(0);
    }
}
