package org.vecformer.engine.kernel;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.vecformer.loader.Activation;

/**
 * The ops in plain loops with double accumulation, written from the formulas for clarity: what every backend
 * is tested against.
 */
final class ReferenceOps {

    private ReferenceOps() {
    }

    /** activation(x w + bias) + residual; bias, activation, residual may be null. */
    static double[][] matmul(double[][] x, double[][] w, double[] bias, Activation activation, double[][] residual) {
        double[][] y = new double[x.length][w[0].length];
        for (int r = 0; r < x.length; r++) {
            for (int n = 0; n < w[0].length; n++) {
                double sum = 0;
                for (int k = 0; k < w.length; k++) {
                    sum += x[r][k] * w[k][n];
                }
                sum += bias == null ? 0 : bias[n];
                sum = activation == null ? sum : activate(activation, sum);
                y[r][n] = sum + (residual == null ? 0 : residual[r][n]);
            }
        }
        return y;
    }

    static double activate(Activation activation, double x) {
        return switch (activation) {
            case GELU -> x * (1 + erf(x / Math.sqrt(2))) / 2;
            case GELU_NEW -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case RELU -> Math.max(x, 0);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
        };
    }

    /**
     * The series 2/sqrt(pi) * sum of x (2x^2)^n / (1 * 3 * ... * (2n + 1)) * exp(-x^2); all its terms have
     * one sign.
     */
    private static double erf(double x) {
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    static double[] layerNorm(double[] x, double[] gain, double[] bias, double epsilon) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = (x[i] - mean) / Math.sqrt(variance + epsilon) * gain[i] + bias[i];
        }
        return y;
    }

    static double[] softmax(double[] x) {
        double max = Arrays.stream(x).max().orElseThrow();
        double[] p = Arrays.stream(x).map(v -> Math.exp(v - max)).toArray();
        double sum = Arrays.stream(p).sum();
        return Arrays.stream(p).map(v -> v / sum).toArray();
    }

    /** Causal attention of one head: query {@code r} sees the keys 0 to {@code past + r}. */
    static double[][] attention(double[][] q, double[][] k, double[][] v, int past, double scale) {
        return attention(q, k, v, r -> past + r + 1, scale);
    }

    /** Attention of one head in which every query sees all keys. */
    static double[][] attentionToAll(double[][] q, double[][] k, double[][] v, double scale) {
        return attention(q, k, v, _ -> k.length, scale);
    }

    private static double[][] attention(double[][] q, double[][] k, double[][] v, IntUnaryOperator seen,
            double scale) {
        double[][] out = new double[q.length][v[0].length];
        for (int r = 0; r < q.length; r++) {
            double[] scores = new double[seen.applyAsInt(r)];
            for (int j = 0; j < scores.length; j++) {
                for (int d = 0; d < q[r].length; d++) {
                    scores[j] += q[r][d] * k[j][d];
                }
                scores[j] *= scale;
            }
            double[] p = softmax(scores);
            for (int j = 0; j < p.length; j++) {
                for (int d = 0; d < out[r].length; d++) {
                    out[r][d] += p[j] * v[j][d];
                }
            }
        }
        return out;
    }

    /** Mean square of the differences over the mean square of what was expected. */
    static double normalizedMeanSquaredError(double[] expected, float[] actual) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += (expected[i] - actual[i]) * (expected[i] - actual[i]);
            size += expected[i] * expected[i];
        }
        return size == 0 ? error : error / size;
    }
}
