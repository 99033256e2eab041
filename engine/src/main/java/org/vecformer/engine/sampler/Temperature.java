package org.vecformer.engine.sampler;

/**
 * Divides every logit by the temperature, in float32: below 1 the distribution gets sharper, above 1 flatter.
 * Equal to Hugging Face's {@code TemperatureLogitsWarper}. (Ackley, Hinton and Sejnowski 1985.)
 */
public final class Temperature implements Sampler {
    private final float temperature;
    /** The answer given last: steps are to cost no memory. Immutable, so that it may be seen by any thread. */
    private LogitsNeeded.Largest needed;

    /**
     * @throws IllegalArgumentException if the temperature is not a positive finite float32 number (for the limit 0 use
     *         {@link Greedy})
     */
    public Temperature(double temperature) {
        this.temperature = (float) temperature;
        if (!(this.temperature > 0) || Float.isInfinite(this.temperature)) {
            throw new IllegalArgumentException("The temperature is " + temperature
                    + "; it must be a finite number above 0 (to take the most likely token always, choose greedily)");
        }
    }

    @Override
    public void apply(Candidates candidates) {
        float[] logits = candidates.logits();
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            logits[i] /= temperature;
        }
    }

    /** The division leaves the order as it is, but that logits may become equal. */
    @Override
    public LogitsNeeded needs(LogitsNeeded behind) {
        return switch (behind) {
            case LogitsNeeded.ArgMax _ -> largest(1);
            case LogitsNeeded.Largest largest when largest.temperature() == 1 -> largest(largest.k());
            default -> LogitsNeeded.ALL;
        };
    }

    private LogitsNeeded largest(int k) {
        LogitsNeeded.Largest last = needed;
        if (last == null || last.k() != k) {
            last = new LogitsNeeded.Largest(k, temperature);
            needed = last;
        }
        return last;
    }

    @Override
    public Temperature copy() {
        return this;
    }
}
