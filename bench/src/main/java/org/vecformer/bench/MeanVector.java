package org.vecformer.bench;

import java.util.Arrays;

/** The mean of a sequence's states, scaled to length 1, as sentence-transformers makes it of BERT's. */
final class MeanVector {

    private MeanVector() {
    }

    static void clear(float[] vector) {
        Arrays.fill(vector, 0);
    }

    static void add(float[] vector, float[] state) {
        for (int i = 0; i < vector.length; i++) {
            vector[i] += state[i];
        }
    }

    /** Scales the sum of the states. Their number does not matter: the mean has the same direction. */
    static void finish(float[] vector) {
        double square = 0;
        for (float x : vector) {
            square += (double) x * x;
        }
        float scale = (float) (1 / Math.sqrt(square));
        for (int i = 0; i < vector.length; i++) {
            vector[i] *= scale;
        }
    }
}
