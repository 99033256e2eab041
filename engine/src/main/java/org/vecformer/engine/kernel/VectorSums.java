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
 */
final class VectorSums {

    private static final VectorShuffle<Float> DOWN_8 = down(8), DOWN_4 = down(4), DOWN_2 = down(2), DOWN_1 = down(1);

    private VectorSums() {
    }

    private static VectorShuffle<Float> down(int lanes) {
        return VectorShuffle.iota(FLOAT, lanes, 1, true);
    }

    /** The vector, with {@code other} in the lanes from {@code count} on. */
    static FloatVector orElse(FloatVector v, int count, float other) {
        return count >= COUNT ? v : v.blend(other, INDEX.compare(VectorOperators.GE, (float) count));
    }

    static float of(float[] x, int x0, int n) {
        return switch (COUNT) {
            case 16 -> lanes(partials(x, x0, n, 0));
            case 8 -> lanes(partials(x, x0, n, 0).add(partials(x, x0, n, 8)));
            case 4 -> lanes(pair(x, x0, n, 0).add(pair(x, x0, n, 4)));
            default -> lanes(pair(x, x0, n, 0).add(pair(x, x0, n, 4)).add(pair(x, x0, n, 2).add(pair(x, x0, n, 6))));
        };
    }

    /** The sum of (x - mean)^2. */
    static float ofSquaredDifferences(float[] x, int x0, int n, float mean) {
        return switch (COUNT) {
            case 16 -> lanes(squares(x, x0, n, 0, mean));
            case 8 -> lanes(squares(x, x0, n, 0, mean).add(squares(x, x0, n, 8, mean)));
            case 4 -> lanes(squaresPair(x, x0, n, 0, mean).add(squaresPair(x, x0, n, 4, mean)));
            default -> lanes(squaresPair(x, x0, n, 0, mean).add(squaresPair(x, x0, n, 4, mean))
                    .add(squaresPair(x, x0, n, 2, mean).add(squaresPair(x, x0, n, 6, mean))));
        };
    }

    private static FloatVector pair(float[] x, int x0, int n, int j) {
        return partials(x, x0, n, j).add(partials(x, x0, n, j + 8));
    }

    private static FloatVector squaresPair(float[] x, int x0, int n, int j, float mean) {
        return squares(x, x0, n, j, mean).add(squares(x, x0, n, j + 8, mean));
    }

    private static FloatVector partials(float[] x, int x0, int n, int j) {
        FloatVector sum = FloatVector.zero(FLOAT);
        int i = j;
        for (; i + COUNT <= n; i += PARTIALS) {
            sum = sum.add(FloatVector.fromArray(FLOAT, x, x0 + i));
        }
        // Adding +0 changes no sum that began at +0.
        return i < n ? sum.add(orElse(FloatVector.fromArray(FLOAT, x, x0 + i), n - i, 0)) : sum;
    }

    private static FloatVector squares(float[] x, int x0, int n, int j, float mean) {
        FloatVector sum = FloatVector.zero(FLOAT);
        int i = j;
        for (; i + COUNT <= n; i += PARTIALS) {
            FloatVector difference = FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean);
            sum = difference.fma(difference, sum);
        }
        if (i < n) {
            FloatVector difference = orElse(FloatVector.fromArray(FLOAT, x, x0 + i).sub(mean), n - i, 0);
            sum = difference.fma(difference, sum);
        }
        return sum;
    }

    /** Adds the lanes of a vector: those 8 apart, 4 apart, 2 apart, 1 apart, as far as there are so many. */
    private static float lanes(FloatVector v) {
        if (COUNT > 8) {
            v = v.add(v.rearrange(DOWN_8));
        }
        if (COUNT > 4) {
            v = v.add(v.rearrange(DOWN_4));
        }
        if (COUNT > 2) {
            v = v.add(v.rearrange(DOWN_2));
        }
        return v.add(v.rearrange(DOWN_1)).lane(0);
    }
}
