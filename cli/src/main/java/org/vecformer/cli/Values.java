package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;

/** Checks values of options, and takes apart those that are lists. */
final class Values {
    private Values() {
    }

    /** @throws UsageException if it is not good; null, which was not given, always is */
    static void check(String option, Object value, boolean good, String expected) {
        if (value != null && !good) {
            throw new UsageException(option + " is " + value + "; expected " + expected);
        }
    }

    /** A number from 0 to 1. */
    static void probability(String option, Double value) {
        check(option, value, value != null && value >= 0 && value <= 1, "a number from 0 to 1");
    }

    /** A number above 0 that float32 can hold. */
    static void positive(String option, Double value) {
        check(option, value, isPositive(value), "a number above 0");
    }

    static boolean isPositive(Double value) {
        return value != null && value.floatValue() > 0 && value.floatValue() < Float.POSITIVE_INFINITY;
    }

    /** A number that float32 can hold. */
    static void finite(String option, Double value) {
        check(option, value, value != null && Float.isFinite(value.floatValue()), "a finite number");
    }

    /** @throws UsageException if an option was given, and with less */
    static void atLeast(int least, String option, Integer value) {
        check(option, value, value != null && value >= least, "at least " + least);
    }

    /** A number of things that each take memory: 1 to that many. */
    static void count(int most, String option, Integer value) {
        check(option, value, value != null && value >= 1 && value <= most, "1 to " + most);
    }

    /** @throws UsageException if the option was given without the one that it belongs to */
    static void needs(String option, Object value, String other, Object otherValue) {
        if (value != null && otherValue == null) {
            throw new UsageException(option + " goes with " + other + ", which is not given");
        }
    }

    /** What stands between commas; {@code \,} is a comma and {@code \\} a backslash. */
    static List<String> list(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length() && (text.charAt(i + 1) == ',' || text.charAt(i + 1) == '\\')) {
                part.append(text.charAt(++i));
            } else if (c == ',') {
                parts.add(part.toString());
                part.setLength(0);
            } else {
                part.append(c);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    /** A text in which {@code \n}, {@code \t}, {@code \r} and {@code \\} stand for those characters. */
    static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int escape = c == '\\' && i + 1 < text.length() ? "ntr\\".indexOf(text.charAt(i + 1)) : -1;
            if (escape < 0) {
                plain.append(c);
            } else {
                plain.append("\n\t\r\\".charAt(escape));
                i++;
            }
        }
        return plain.toString();
    }
}
