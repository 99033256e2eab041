package org.vecformer.bench;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Activation;

/**
 * Bias and activation of a feed-forward layer of 3072. The engine has them only as the end of a matrix product, so this
 * is a product over a single input: one multiplication for each number.
 */
public class ActivationBenchmark extends OpBenchmark {

    private static final int COLUMNS = 3072;

    @Param({"1", "128"})
    public int rows;

    /** All but the rarely used and the trivial. */
    @Param({"GELU_NEW", "GELU", "SILU", "TANH"})
    public Activation activation;

    private WeightMatrix w;
    private WeightVector bias;
    private Tensor x;
    private Tensor out;
    private Agreement.Reference expected;

    @Override
    void prepare(Operands operands) throws IOException {
        Operands.Matrix matrix = operands.matrix(WeightType.F32, 1, COLUMNS);
        w = keep(matrix);
        Operands.Vector biases = operands.vector(COLUMNS, 0);
        bias = keep(biases);
        HeapTensor plain = operands.activations(rows, 1);
        x = upload(plain);
        out = ops.tensor(rows, COLUMNS);
        expected = (r, c) -> reference(
                (double) plain.data()[plain.offset(r)] * matrix.values()[c] + biases.values()[c]);
    }

    @Override
    void run() {
        ops.matmul(x, rows, w, bias, activation, null, out);
    }

    @Override
    void check() {
        Agreement.check("activation " + activation, download(out), rows, expected);
    }

    private double reference(double x) {
        return switch (activation) {
            case GELU_NEW -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU -> 0.5 * x * (1 + erf(x / Math.sqrt(2)));
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case RELU -> Math.max(x, 0);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
        };
    }

    /** The series of Abramowitz and Stegun 7.1.6; arguments here are below 3. */
    private static double erf(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 1000; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    @Benchmark
    public Tensor activation() {
        compute();
        return out;
    }
}
