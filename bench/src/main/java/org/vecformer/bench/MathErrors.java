package org.vecformer.bench;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.vecformer.engine.kernel.ScalarMath;

/**
 * Prints the largest errors of the engine's elementary functions over all floats, against double precision: in ulp of
 * the rounded true value, and absolute. The vector kernels have the bits of these functions, which a test shows.
 * <p>
 * All 2^32 bit patterns are tried, which takes minutes for each function; {@code --step N} tries every N-th.
 */
public final class MathErrors {

    static final int OK = 0;
    static final int USAGE = 2;

    private static final int MOST_STEP = 1 << 20;
    /** Patterns with the same sign and exponent are one item of work. */
    private static final int EXPONENTS = 512;
    private static final int FRACTIONS = 1 << 23;

    private static final String OPTIONS = """
              --functions A,B  some of %s (default: all)
              --step N         try every N-th float only (default: 1)
              --help           this text
            """;

    /** A function of one float. */
    interface FloatFunction {
        float at(float x);
    }

    /**
     * @param low where the error in ulp begins to count: below, results are subnormal, or next to nothing with a
     *            relative error that grows, and it is the absolute error that says how good they are
     */
    record Function(String name, FloatFunction function, DoubleUnaryOperator exact, float low) {}

    static final List<Function> FUNCTIONS = List.of(
            new Function("exp", ScalarMath::exp, Math::exp, Float.NEGATIVE_INFINITY),
            new Function("tanh", ScalarMath::tanh, Math::tanh, Float.NEGATIVE_INFINITY),
            new Function("sigmoid", ScalarMath::sigmoid, MathErrors::sigmoid, Float.NEGATIVE_INFINITY),
            new Function("erf", ScalarMath::erf, MathErrors::erf, Float.NEGATIVE_INFINITY),
            new Function("gelu", ScalarMath::gelu, x -> Math.max(x, 0) - Math.abs(x) * upperTail(Math.abs(x)), -13),
            new Function("geluNew", ScalarMath::geluNew,
                    x -> x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)), -1),
            new Function("quickGelu", ScalarMath::quickGelu, x -> x * sigmoid(1.702 * x), -1),
            new Function("silu", ScalarMath::silu, x -> x * sigmoid(x), -80));

    /** The largest errors of a function, and where they are. */
    record Worst(double ulp, float ulpAt, double absolute, float absoluteAt, long tried) {

        static final Worst NONE = new Worst(0, 0, 0, 0, 0);

        private Worst or(Worst other) {
            boolean ulps = other.ulp > ulp;
            boolean absolutes = other.absolute > absolute;
            return new Worst(ulps ? other.ulp : ulp, ulps ? other.ulpAt : ulpAt,
                    absolutes ? other.absolute : absolute, absolutes ? other.absoluteAt : absoluteAt,
                    tried + other.tried);
        }
    }

    private MathErrors() {
    }

    public static void main(String[] args) {
        System.exit(run(System.out, System.err, args));
    }

    /** Runs the report; what it returns is the exit code. */
    static int run(PrintStream out, PrintStream err, String... args) {
        List<String> names = FUNCTIONS.stream().map(Function::name).toList();
        List<String> chosen = names;
        int step = 1;
        try {
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--functions" -> chosen = arguments.names(names);
                    case "--step" -> step = arguments.number(MOST_STEP);
                    case "--help" -> {
                        out.print("MathErrors: largest errors of the elementary functions over all floats\n"
                                + OPTIONS.formatted(String.join(", ", names)));
                        return OK;
                    }
                    default -> throw arguments.unknown();
                }
            }
        } catch (IllegalArgumentException e) {
            err.println("error: " + e.getMessage());
            return USAGE;
        }
        out.printf(Locale.ROOT, "%-10s %10s %16s %14s %16s %14s%n", "function", "ulp", "at", "absolute", "at",
                "floats");
        for (Function function : FUNCTIONS) {
            if (chosen.contains(function.name)) {
                Worst worst = worst(function, step);
                out.printf(Locale.ROOT, "%-10s %10.4f %16.9g %14.3g %16.9g %14d%n", function.name, worst.ulp,
                        worst.ulpAt, worst.absolute, worst.absoluteAt, worst.tried);
            }
        }
        return OK;
    }

    /** The largest errors over every {@code step}-th finite float; on all processors. */
    static Worst worst(Function function, int step) {
        return IntStream.range(0, EXPONENTS).parallel().mapToObj(exponent -> worst(function, exponent, step))
                .reduce(Worst.NONE, Worst::or);
    }

    private static Worst worst(Function function, int exponent, int step) {
        double ulp = 0;
        double absolute = 0;
        float ulpAt = 0;
        float absoluteAt = 0;
        long tried = 0;
        for (int fraction = 0; fraction < FRACTIONS; fraction += step) {
            float x = Float.intBitsToFloat(exponent << 23 | fraction);
            if (!Float.isFinite(x)) {
                break;
            }
            tried++;
            double exact = function.exact.applyAsDouble(x);
            float rounded = (float) exact;
            float actual = function.function.at(x);
            if (actual == rounded) {
                // Within half an ulp, or the same infinity.
                double error = Float.isInfinite(actual) ? 0 : Math.abs(actual - exact) / Math.ulp(rounded);
                if (x >= function.low && error > ulp) {
                    ulp = error;
                    ulpAt = x;
                }
                continue;
            }
            // One of them alone infinite or not a number is an infinite error.
            double error = Math.abs(actual - exact);
            error = Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
            if (x >= function.low && !(error / Math.ulp(rounded) <= ulp)) {
                ulp = Double.isInfinite(error) ? error : error / Math.ulp(rounded);
                ulpAt = x;
            }
            // Above 1 an absolute error says nothing that the relative one does not.
            if (Math.abs(exact) <= 1 && error > absolute) {
                absolute = error;
                absoluteAt = x;
            }
        }
        return new Worst(ulp, ulpAt, absolute, absoluteAt, tried);
    }

    private static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
    }

    private static double erf(double x) {
        double a = Math.abs(x);
        double value = a < 2 ? erfSeries(a) : 1 - 2 * upperTail(a * Math.sqrt(2));
        return Math.copySign(value, x);
    }

    /** The normal distribution's mass above a. */
    private static double upperTail(double a) {
        double z = a / Math.sqrt(2);
        if (z < 2) {
            return 0.5 - erfSeries(z) / 2;
        }
        if (z > 28) {
            // Below the smallest double.
            return 0;
        }
        // Continued fraction of Abramowitz and Stegun 7.1.14.
        double fraction = 0;
        for (int k = 120; k >= 1; k--) {
            fraction = k / 2.0 / (z + fraction);
        }
        return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction) / 2;
    }

    /** Abramowitz and Stegun 7.1.6. */
    private static double erfSeries(double z) {
        double term = z;
        double sum = z;
        for (int k = 1; term > 1e-18 * sum; k++) {
            term *= 2 * z * z / (2 * k + 1);
            sum += term;
        }
        return 2 * sum * Math.exp(-z * z) / Math.sqrt(Math.PI);
    }
}
