package org.vecformer.engine.kernel;

/**
 * Sums over a row in the one order that all kernels share: element i goes to partial sum i mod {@value #PARTIALS}, and
 * the partial sums p are added as p[j] + p[j + 8], then + 4, + 2, + 1. Sixteen partials fill the widest vector once and
 * narrower ones several times.
 */
final class Sums {

    static final int PARTIALS = 16;

    private Sums() {
    }

    static float of(float[] x, int x0, int n) {
        return fourth(x, x0, n, 0) + fourth(x, x0, n, 1);
    }

    /** The sum of (x - mean)^2. */
    static float ofSquaredDifferences(float[] x, int x0, int n, float mean) {
        return fourthSquared(x, x0, n, 0, mean) + fourthSquared(x, x0, n, 1, mean);
    }

    private static float fourth(float[] x, int x0, int n, int j) {
        return third(x, x0, n, j) + third(x, x0, n, j + 2);
    }

    private static float third(float[] x, int x0, int n, int j) {
        return second(x, x0, n, j) + second(x, x0, n, j + 4);
    }

    private static float second(float[] x, int x0, int n, int j) {
        return partial(x, x0, n, j) + partial(x, x0, n, j + 8);
    }

    private static float partial(float[] x, int x0, int n, int j) {
        float sum = 0;
        for (int i = x0 + j; i < x0 + n; i += PARTIALS) {
            sum += x[i];
        }
        return sum;
    }

    private static float fourthSquared(float[] x, int x0, int n, int j, float mean) {
        return thirdSquared(x, x0, n, j, mean) + thirdSquared(x, x0, n, j + 2, mean);
    }

    private static float thirdSquared(float[] x, int x0, int n, int j, float mean) {
        return secondSquared(x, x0, n, j, mean) + secondSquared(x, x0, n, j + 4, mean);
    }

    private static float secondSquared(float[] x, int x0, int n, int j, float mean) {
        return partialSquared(x, x0, n, j, mean) + partialSquared(x, x0, n, j + 8, mean);
    }

    private static float partialSquared(float[] x, int x0, int n, int j, float mean) {
        float sum = 0;
        for (int i = x0 + j; i < x0 + n; i += PARTIALS) {
            float difference = x[i] - mean;
            sum = Math.fma(difference, difference, sum);
        }
        return sum;
    }
}
