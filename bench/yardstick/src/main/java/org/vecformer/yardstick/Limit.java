package org.vecformer.yardstick;

/** What bounds a speed. */
public enum Limit {
    /** Generating tokens: each needs all weights, which come from memory. */
    READ_BANDWIDTH("read bandwidth", "GB/s"),
    /** Prompts and encoders: many tokens share what is read, and each needs two operations for every weight. */
    FMA_PEAK("FMA peak", "GFLOP/s");

    private final String label;
    private final String unit;

    Limit(String label, String unit) {
        this.label = label;
        this.unit = unit;
    }

    /** For people and for JSON. */
    public String label() {
        return label;
    }

    public String unit() {
        return unit;
    }
}
