package org.vecformer.bench;

/**
 * How alike two encoders' vectors are.
 *
 * @param cosine     the least cosine of two vectors of the same sequence
 * @param difference the largest absolute difference of two of their numbers
 */
record Likeness(double cosine, double difference) {

    /** What vectors that were computed in float32 must reach. */
    static final double FLOOR = 0.99999;

    /** NaN where a vector has one. */
    static Likeness of(float[][] a, float[][] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(a.length + " vectors and " + b.length);
        }
        double cosine = 1;
        double difference = 0;
        for (int v = 0; v < a.length; v++) {
            if (a[v].length != b[v].length) {
                throw new IllegalArgumentException(
                        "a vector of " + a[v].length + " numbers and one of " + b[v].length);
            }
            double product = 0;
            double squareA = 0;
            double squareB = 0;
            for (int i = 0; i < a[v].length; i++) {
                product += (double) a[v][i] * b[v][i];
                squareA += (double) a[v][i] * a[v][i];
                squareB += (double) b[v][i] * b[v][i];
                difference = Math.max(difference, Math.abs((double) a[v][i] - b[v][i]));
            }
            cosine = Math.min(cosine, product / Math.sqrt(squareA * squareB));
        }
        return new Likeness(cosine, difference);
    }

    /** Written so that NaN is not the same. */
    boolean same() {
        return cosine >= FLOOR;
    }
}
