package org.vecformer.bench;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightVector;

/** The layer norm of rows of 768. */
public class LayerNormBenchmark extends OpBenchmark {

    private static final int COLUMNS = 768;
    private static final float EPSILON = 1e-5f;

    @Param({"1", "128"})
    public int rows;

    private WeightVector gain;
    private WeightVector bias;
    private Tensor x;
    private Tensor out;
    private double[][] expected;

    @Override
    void prepare(Operands operands) throws IOException {
        Operands.Vector gains = operands.vector(COLUMNS, 1);
        gain = keep(gains);
        Operands.Vector biases = operands.vector(COLUMNS, 0);
        bias = keep(biases);
        HeapTensor plain = operands.activations(rows, COLUMNS);
        x = upload(plain);
        out = ops.tensor(rows, COLUMNS);
        expected = norm(plain, gains.values(), biases.values());
    }

    private double[][] norm(HeapTensor x, float[] gain, float[] bias) {
        double[][] y = new double[rows][COLUMNS];
        for (int r = 0; r < rows; r++) {
            double mean = 0;
            for (int c = 0; c < COLUMNS; c++) {
                mean += x.data()[x.offset(r) + c] / (double) COLUMNS;
            }
            double variance = 0;
            for (int c = 0; c < COLUMNS; c++) {
                double difference = x.data()[x.offset(r) + c] - mean;
                variance += difference * difference / COLUMNS;
            }
            for (int c = 0; c < COLUMNS; c++) {
                y[r][c] = (x.data()[x.offset(r) + c] - mean) / Math.sqrt(variance + EPSILON) * gain[c] + bias[c];
            }
        }
        return y;
    }

    @Override
    void run() {
        ops.layerNorm(x, rows, gain, bias, EPSILON, out);
    }

    @Override
    void check() {
        Agreement.check("layerNorm", download(out), rows, (r, c) -> expected[r][c]);
    }

    /** For the test of the check. */
    void spoil() {
        float[] row = new float[COLUMNS];
        ops.read(out, 0, row);
        row[0] += 1;
        ops.write(row, out, 0);
    }

    @Benchmark
    public Tensor layerNorm() {
        compute();
        return out;
    }
}
