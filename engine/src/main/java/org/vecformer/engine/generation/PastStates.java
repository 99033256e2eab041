package org.vecformer.engine.generation;

import java.util.Arrays;

/** The directions of hidden states, to which another one is compared. */
final class PastStates {

    /** For each dimension the states one after the other: what is computed for all of them at once is vectorized. */
    private final float[][] dimensions;
    private final float[] direction;
    private final float[] cosines;
    private int count;

    /** @param most states that will be added */
    PastStates(int size, int most) {
        dimensions = new float[size][most];
        direction = new float[size];
        cosines = new float[most];
    }

    void add(float[] state) {
        normalize(state);
        for (int d = 0; d < dimensions.length; d++) {
            dimensions[d][count] = direction[d];
        }
        count++;
    }

    /** The largest cosine of the angles to the states that were added, of which there is at least one. */
    float largestCosine(float[] state) {
        normalize(state);
        Arrays.fill(cosines, 0, count, 0);
        for (int d = 0; d < dimensions.length; d++) {
            float[] dimension = dimensions[d];
            float factor = direction[d];
            for (int i = 0; i < count; i++) {
                cosines[i] += dimension[i] * factor;
            }
        }
        float largest = cosines[0];
        for (int i = 1; i < count; i++) {
            largest = Math.max(largest, cosines[i]);
        }
        return largest;
    }

    /** A state without a direction is at right angles to all others. */
    private void normalize(float[] state) {
        double squares = 0;
        for (float value : state) {
            squares += (double) value * value;
        }
        double scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
        for (int d = 0; d < direction.length; d++) {
            direction[d] = (float) (state[d] * scale);
        }
    }
}
