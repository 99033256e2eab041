package org.vecformer.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;

/**
 * The words of a report's command line, one option after the other. Whatever is not understood is an
 * {@link IllegalArgumentException} with a message for the user.
 */
final class Arguments {

    static final int MOST_ROUNDS = 10_000;
    private static final double MOST_SECONDS = 3600;

    private final Iterator<String> rest;
    private String option;

    Arguments(String... args) {
        rest = Arrays.asList(args).iterator();
    }

    /** Goes to the next option; false at the end. */
    boolean next() {
        option = rest.hasNext() ? rest.next() : null;
        return option != null;
    }

    String option() {
        return option;
    }

    /** The word behind the option. */
    String value() {
        if (!rest.hasNext()) {
            throw new IllegalArgumentException(option + " needs a value");
        }
        return rest.next();
    }

    Path path() {
        return Path.of(value());
    }

    /** A whole number from 1. */
    int number(int most) {
        return number(value(), most);
    }

    /** Whole numbers from 1, with commas between. */
    List<Integer> numbers(int most) {
        return Arrays.stream(value().split(",", -1)).map(number -> number(number, most)).toList();
    }

    /** Some of these names, with commas between. */
    List<String> names(List<String> all) {
        List<String> names = List.of(value().split(",", -1));
        for (String name : names) {
            if (!all.contains(name)) {
                throw new IllegalArgumentException(
                        option + " names \"" + name + "\"; expected some of " + String.join(", ", all));
            }
        }
        return names;
    }

    private int number(String value, int most) {
        int number;
        try {
            number = Integer.parseInt(value);
        } catch (NumberFormatException _) {
            number = 0;
        }
        if (number < 1 || number > most) {
            throw new IllegalArgumentException(option + " is " + value + "; expected 1 to " + most);
        }
        return number;
    }

    int rounds() {
        return number(MOST_ROUNDS);
    }

    int threads() {
        return number(EngineOptions.MOST_THREADS);
    }

    double seconds() {
        String value = value();
        double seconds;
        try {
            seconds = Double.parseDouble(value);
        } catch (NumberFormatException _) {
            seconds = 0;
        }
        if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
            throw new IllegalArgumentException(
                    option + " is " + value + "; expected more than 0, at most " + (int) MOST_SECONDS);
        }
        return seconds;
    }

    BackendChoice backend() {
        String value = value();
        return switch (value) {
            case "vector" -> BackendChoice.VECTOR;
            case "scalar" -> BackendChoice.SCALAR;
            default -> throw new IllegalArgumentException(option + " is " + value + "; expected vector or scalar");
        };
    }

    /** An OpenCL device. */
    DeviceChoice device() {
        String value = value();
        DeviceChoice device;
        try {
            device = DeviceChoice.parse(value);
        } catch (IllegalArgumentException _) {
            device = new DeviceChoice.Cpu();
        }
        if (device instanceof DeviceChoice.Cpu) {
            throw new IllegalArgumentException(option + " is " + value + "; expected gpu or opencl:N");
        }
        return device;
    }

    List<WeightType> weights() {
        List<WeightType> types = new ArrayList<>();
        for (String name : value().split(",", -1)) {
            types.add(Arrays.stream(WeightType.values()).filter(type -> spelt(type).equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            option + " names \"" + name + "\"; expected f32, bf16, f16, int8 or int4")));
        }
        return types;
    }

    IllegalArgumentException unknown() {
        return new IllegalArgumentException("unknown option " + option + "; see --help");
    }

    /** A weight type as command lines and reports spell it. */
    static String spelt(WeightType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}
