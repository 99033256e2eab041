package org.vecformer.engine.constraint;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;

/**
 * The decimal numbers between two bounds, without exponents: at most {@value #INTEGER_DIGITS} digits before the point
 * and {@value #FRACTION_DIGITS} after it, no leading zeros, no negative zero.
 *
 * @param least       null if there is none
 * @param aboveLeast  whether the least itself is left out
 * @param most        null if there is none
 * @param belowMost   whether the most itself is left out
 * @param integer     whether there is nothing after the point, nor a point
 */
record NumberRange(BigDecimal least, boolean aboveLeast, BigDecimal most, boolean belowMost, boolean integer) {
    static final int INTEGER_DIGITS = 16;
    static final int FRACTION_DIGITS = 16;

    /** Whether there are no such numbers, those aside that would need more digits after the point. */
    boolean isEmpty() {
        BigDecimal largest = BigDecimal.TEN.pow(INTEGER_DIGITS);
        BigDecimal low = least == null ? largest.negate() : least;
        BigDecimal high = most == null ? largest : most;
        if (integer) {
            low = low.setScale(0, aboveLeast ? RoundingMode.FLOOR : RoundingMode.CEILING);
            low = aboveLeast ? low.add(BigDecimal.ONE) : low;
            high = high.setScale(0, belowMost ? RoundingMode.CEILING : RoundingMode.FLOOR);
            high = belowMost ? high.subtract(BigDecimal.ONE) : high;
        }
        int order = low.compareTo(high);
        return order > 0 || order == 0 && !integer && (aboveLeast || belowMost) || low.compareTo(largest) >= 0
                || high.compareTo(largest.negate()) <= 0;
    }

    /** Writes the numbers behind a node; gives the node behind them. */
    int write(Network network, int from) {
        int end = network.node();
        if (most == null || most.signum() >= 0) {
            boolean positiveLeast = least != null && least.signum() >= 0;
            new Magnitudes(network, end, positiveLeast ? least : BigDecimal.ZERO, positiveLeast && aboveLeast, most,
                    belowMost).write(from);
        }
        if (least == null || least.signum() < 0) {
            int minus = network.node();
            network.bytes(from, '-', '-', minus);
            boolean negativeMost = most != null && most.signum() < 0;
            new Magnitudes(network, end, negativeMost ? most.negate() : BigDecimal.ZERO, !negativeMost || belowMost,
                    least == null ? null : least.negate(), aboveLeast).write(minus);
        }
        return end;
    }

    /** Numbers without a sign, digit by digit: as long as all digits were those of a bound, the next is bound by it. */
    private final class Magnitudes {
        private final Network network;
        private final int end;
        private final BigDecimal low;
        private final boolean aboveLow;
        private final BigDecimal high;
        private final boolean belowHigh;
        private int length;
        private int[] lowDigits;
        private int[] highDigits;
        /** By digits read, and whether they were all the low and the high bound's; -1 until it is needed. */
        private int[] nodes;

        Magnitudes(Network network, int end, BigDecimal low, boolean aboveLow, BigDecimal high, boolean belowHigh) {
            this.network = network;
            this.end = end;
            this.low = low;
            this.aboveLow = aboveLow;
            this.high = high;
            this.belowHigh = belowHigh;
        }

        void write(int from) {
            int lowLength = integerLength(low);
            int highLength = high == null ? INTEGER_DIGITS + 1 : integerLength(high);
            for (length = Math.max(lowLength, 1); length <= Math.min(highLength, INTEGER_DIGITS); length++) {
                lowDigits = length == lowLength ? digits(low) : null;
                highDigits = length == highLength ? digits(high) : null;
                nodes = new int[4 * (length + FRACTION_DIGITS + 1)];
                Arrays.fill(nodes, -1);
                digit(from, 0, lowDigits != null, highDigits != null);
            }
        }

        private static int integerLength(BigDecimal value) {
            return value.compareTo(BigDecimal.ONE) < 0 ? 1 : value.precision() - value.scale();
        }

        /** All digits, of the fraction as many as it has. */
        private int[] digits(BigDecimal value) {
            BigDecimal padded = value.setScale(Math.max(value.scale(), FRACTION_DIGITS));
            String text = padded.unscaledValue().toString();
            int total = length + padded.scale();
            return "0".repeat(total - text.length()).concat(text).chars().map(c -> c - '0').toArray();
        }

        private void digit(int from, int at, boolean isLow, boolean isHigh) {
            int first = Math.max(isLow ? lowDigits[at] : 0, at == 0 && length > 1 ? 1 : 0);
            int last = isHigh ? highDigits[at] : 9;
            for (int digit = first; digit <= last; digit++) {
                boolean stillLow = isLow && digit == lowDigits[at];
                boolean stillHigh = isHigh && digit == highDigits[at];
                network.bytes(from, '0' + digit, '0' + digit, behind(at + 1, stillLow, stillHigh));
            }
        }

        /** The node behind so many digits. */
        private int behind(int count, boolean isLow, boolean isHigh) {
            int index = 4 * count + (isLow ? 2 : 0) + (isHigh ? 1 : 0);
            if (nodes[index] >= 0) {
                return nodes[index];
            }
            int node = network.node();
            nodes[index] = node;
            if (count >= length && (!isLow || isLeast(count)) && (!isHigh || isMost(count))) {
                network.skip(node, end);
            }
            if (count < length) {
                digit(node, count, isLow, isHigh);
            } else if (!integer && count < length + FRACTION_DIGITS) {
                int at = node;
                if (count == length) {
                    at = network.node();
                    network.bytes(node, '.', '.', at);
                }
                digit(at, count, isLow, isHigh);
            }
            return node;
        }

        /** Whether a number that ends here with the low bound's digits is large enough. */
        private boolean isLeast(int count) {
            return !aboveLow && isZero(lowDigits, count);
        }

        private boolean isMost(int count) {
            return !belowHigh || !isZero(highDigits, count);
        }

        private static boolean isZero(int[] digits, int from) {
            for (int i = from; i < digits.length; i++) {
                if (digits[i] != 0) {
                    return false;
                }
            }
            return true;
        }
    }
}
