package org.vecformer.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.tensor.HeapTensor;

/** The layer norm of rows of 768. */
public class LayerNormBenchmark extends OpBenchmark {

    private static final int COLUMNS = 768;
    private static final float EPSILON = 1e-5f;

    @Param({"1", "128"})
    public int rows;

    private Operands.Vector gain;
    private Operands.Vector bias;
    private HeapTensor x;
    private HeapTensor out;

    @Override
    void prepare(Operands operands, Arena memory) throws IOException {
        gain = operands.vector(COLUMNS, 1);
        bias = operands.vector(COLUMNS, 0);
        x = operands.activations(rows, COLUMNS);
        out = HeapTensor.zeros(rows, COLUMNS);
    }

    @Override
    void compute() {
        ops.layerNorm(x, rows, gain.packed(), bias.packed(), EPSILON, out);
    }

    @Override
    void check() {
        double[] mean = new double[rows];
        double[] deviation = new double[rows];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                mean[r] += x.data()[x.offset(r) + c] / (double) COLUMNS;
            }
            double variance = 0;
            for (int c = 0; c < COLUMNS; c++) {
                double difference = x.data()[x.offset(r) + c] - mean[r];
                variance += difference * difference / COLUMNS;
            }
            deviation[r] = Math.sqrt(variance + EPSILON);
        }
        Agreement.check("layerNorm", out, rows, (r, c) -> (x.data()[x.offset(r) + c] - mean[r]) / deviation[r]
                * gain.values()[c] + bias.values()[c]);
    }

    /** For the test of the check. */
    void spoil() {
        out.data()[0] += 1;
    }

    @Benchmark
    public float layerNorm() {
        compute();
        return out.data()[0];
    }
}
