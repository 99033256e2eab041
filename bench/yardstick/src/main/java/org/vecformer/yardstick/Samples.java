package org.vecformer.yardstick;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;

/** The values that the rounds of a measurement gave: at least one. Immutable. */
public record Samples(double[] values) {

    public Samples {
        if (values.length == 0) {
            throw new IllegalArgumentException("no samples");
        }
        values = values.clone();
    }

    /** The middle one, or the mean of the two in the middle. */
    public double median() {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public double least() {
        return Arrays.stream(values).min().orElseThrow();
    }

    public double most() {
        return Arrays.stream(values).max().orElseThrow();
    }

    public double mean() {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** The sample's standard deviation; 0 for a single value. */
    public double deviation() {
        double mean = mean();
        double squares = Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum();
        return values.length == 1 ? 0 : Math.sqrt(squares / (values.length - 1));
    }

    /** Each value, times a factor, as a share of the other's value of the same round. */
    public Samples shareOf(double factor, Samples limits) {
        if (limits.values.length != values.length) {
            throw new IllegalArgumentException(values.length + " values and " + limits.values.length + " limits");
        }
        double[] shares = new double[values.length];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = values[i] * factor / limits.values[i];
        }
        return new Samples(shares);
    }

    /** Writes fields for the median, the least and the most, whose names begin with the prefix. */
    public void write(JsonGenerator json, String prefix) throws IOException {
        json.writeNumberField(prefix + "median", median());
        json.writeNumberField(prefix + "least", least());
        json.writeNumberField(prefix + "most", most());
    }
}
