package org.vecformer.engine.sampler;

import java.util.Arrays;
import java.util.List;

/** Checks of what samplers are given, which say what is wrong in a sentence. */
final class Parameters {
    private Parameters() {
    }

    /** The number, if it is finite and above 0 as a float32 too. */
    static double positive(String name, double value) {
        float number = (float) value;
        if (!(number > 0) || Float.isInfinite(number)) {
            throw new IllegalArgumentException("The " + name + " is " + value + "; it must be a finite number above 0");
        }
        return value;
    }

    /** The number as float32, if it is finite. */
    static float finite(String name, double value) {
        float number = (float) value;
        if (!Float.isFinite(number)) {
            throw new IllegalArgumentException("The " + name + " is " + value + "; it must be a finite number");
        }
        return number;
    }

    /** The number, if it is in 0..1. */
    static double probability(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be from 0 to 1");
        }
        return value;
    }

    /** The number, if it is between 0 and 1 and neither. */
    static double properFraction(String name, double value) {
        if (!(value > 0 && value < 1)) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be above 0 and below 1");
        }
        return value;
    }

    /** The number, if it is positive. */
    static int positive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("The " + name + " is " + value + "; it must be positive");
        }
        return value;
    }

    /** The number, if it is not negative. */
    static int notNegative(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException("The " + name + " is " + value + "; it must not be negative");
        }
        return value;
    }

    static int minTokensToKeep(int value) {
        return positive("least number of tokens to keep", value);
    }

    /** A copy of the ids, if none is negative. */
    static int[] tokens(String name, int... ids) {
        for (int id : ids) {
            if (id < 0) {
                throw new IllegalArgumentException(
                        "Token id " + id + " is among the " + name + "; ids must not be negative");
            }
        }
        return ids.clone();
    }

    /** Copies of the sequences, if no id is negative. */
    static int[][] sequences(String name, List<int[]> sequences) {
        return sequences.stream().map(sequence -> tokens(name, sequence)).toArray(int[][]::new);
    }

    /** The largest id in the sequences, or -1. */
    static int largest(int[]... sequences) {
        return Arrays.stream(sequences).flatMapToInt(Arrays::stream).max().orElse(-1);
    }
}
