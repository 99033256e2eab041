package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/** Divides the logits by a temperature that changes evenly with each accepted token. */
final class AnnealedTemperature implements Sampler {

    private final double first;
    private final double last;
    private final int steps;
    private int step;

    /**
     * @param first of the first step
     * @param last  of the step before {@code steps} and all later ones
     */
    AnnealedTemperature(double first, double last, int steps) {
        this.first = first;
        this.last = last;
        this.steps = steps;
    }

    float temperature() {
        double share = steps < 2 ? 0 : Math.min(1, step / (steps - 1.0));
        return (float) (first + (last - first) * share);
    }

    @Override
    public void apply(Candidates candidates) {
        float temperature = temperature();
        if (temperature == 1) {
            return;
        }
        float[] logits = candidates.logits();
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            logits[i] /= temperature;
        }
    }

    @Override
    public void accept(int token) {
        step++;
    }

    @Override
    public void reset() {
        step = 0;
    }

    @Override
    public AnnealedTemperature copy() {
        AnnealedTemperature copy = new AnnealedTemperature(first, last, steps);
        copy.step = step;
        return copy;
    }
}
