package org.vecformer.bench;

import org.vecformer.engine.tensor.HeapTensor;

/** Compares what a benchmark computed with plain loops in double: fast but wrong is not fast. */
final class Agreement {

    /**
     * What rounding to float32 may do: sums of some thousand products err by 1e-6 of their size, squared. One wrong
     * number among a million shows.
     */
    private static final double BOUND = 1e-10;

    private Agreement() {
    }

    /** An expected value. */
    interface Reference {
        double at(int row, int column);
    }

    /** The sum of squared differences over the sum of squares. */
    static double normalizedMeanSquaredError(HeapTensor actual, int rows, Reference expected) {
        double difference = 0;
        double size = 0;
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < actual.columns(); c++) {
                double e = expected.at(r, c);
                double d = actual.data()[actual.offset(r) + c] - e;
                difference += d * d;
                size += e * e;
            }
        }
        return size == 0 && difference == 0 ? 0 : difference / size;
    }

    /** @throws IllegalStateException if they differ by more than rounding */
    static void check(String what, HeapTensor actual, int rows, Reference expected) {
        double error = normalizedMeanSquaredError(actual, rows, expected);
        // Written so that NaN fails too.
        if (!(error <= BOUND)) {
            throw new IllegalStateException(what + " is wrong: normalized mean squared error " + error
                    + " against plain loops in double; expected at most " + BOUND);
        }
    }
}
