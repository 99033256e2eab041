package org.vecformer.engine.task;

import java.util.Arrays;
import java.util.List;

/**
 * The arithmetic of {@link Pooling}: takes the states of one text token by token and makes its vector. Sums are
 * accumulated in double, so that they do not depend on anything but the states.
 */
final class StatePooling {

    private final int hidden;
    private final List<Pooling> poolings;
    private final double[] sum;
    private final double[] weighted;
    private final float[] largest;
    private final float[] first;
    private final float[] last;
    private double weights;
    private int count;
    private boolean started;

    /**
     * @param poolings in the order of their concatenation
     */
    StatePooling(int hidden, List<Pooling> poolings) {
        this.hidden = hidden;
        this.poolings = poolings;
        sum = new double[hidden];
        weighted = new double[hidden];
        largest = new float[hidden];
        Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        first = new float[hidden];
        last = new float[hidden];
    }

    /** Whether states are needed at all. */
    boolean needsStates() {
        return poolings.stream().anyMatch(pooling -> pooling != Pooling.POOLER);
    }

    /**
     * Takes the next token's state.
     *
     * @param position counted from 0
     * @param counts   whether it takes part; the first token gives {@link Pooling#CLS} even if not
     */
    void add(int position, float[] state, boolean counts) {
        if (!started) {
            System.arraycopy(state, 0, first, 0, hidden);
            started = true;
        }
        if (!counts) {
            return;
        }
        for (int i = 0; i < hidden; i++) {
            sum[i] += state[i];
            weighted[i] += (position + 1.0) * state[i];
            largest[i] = Math.max(largest[i], state[i]);
        }
        System.arraycopy(state, 0, last, 0, hidden);
        weights += position + 1.0;
        count++;
    }

    /**
     * The text's vector.
     *
     * @param pooler the pooler's output; null if that is not wanted
     */
    float[] vector(float[] pooler) {
        float[] vector = new float[hidden * poolings.size()];
        int offset = 0;
        for (Pooling pooling : poolings) {
            switch (pooling) {
                case CLS -> System.arraycopy(first, 0, vector, offset, hidden);
                case MAX -> System.arraycopy(largest, 0, vector, offset, hidden);
                case MEAN -> divide(sum, count, vector, offset);
                case MEAN_SQRT_LEN -> divide(sum, Math.sqrt(count), vector, offset);
                case WEIGHTED_MEAN -> divide(weighted, weights, vector, offset);
                case LAST_TOKEN -> System.arraycopy(last, 0, vector, offset, hidden);
                case POOLER -> System.arraycopy(pooler, 0, vector, offset, hidden);
            }
            offset += hidden;
        }
        return vector;
    }

    private void divide(double[] sums, double divisor, float[] vector, int offset) {
        for (int i = 0; i < hidden; i++) {
            vector[offset + i] = (float) (sums[i] / divisor);
        }
    }

    /** Scales a vector to length 1 (Euclidean); one that is nearly zero by 1e-12, as PyTorch's {@code normalize}. */
    static void normalize(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = Math.max(Math.sqrt(squares), 1e-12);
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] / length);
        }
    }
}
