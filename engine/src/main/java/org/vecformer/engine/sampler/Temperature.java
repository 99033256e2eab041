package org.vecformer.engine.sampler;

/**
 * Divides every logit by the temperature, in float32: below 1 the distribution gets sharper, above 1 flatter.
 * Equal to Hugging Face's {@code TemperatureLogitsWarper}. (Ackley, Hinton and Sejnowski 1985.)
 */
public final class Temperature implements Sampler {
    private final float temperature;

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
            case LogitsNeeded.ArgMax _ -> new LogitsNeeded.Largest(1, temperature);
            case LogitsNeeded.Largest(int k, float divisor) when divisor == 1 ->
                new LogitsNeeded.Largest(k, temperature);
            default -> LogitsNeeded.ALL;
        };
    }

    @Override
    public Temperature copy() {
        return this;
    }
}
