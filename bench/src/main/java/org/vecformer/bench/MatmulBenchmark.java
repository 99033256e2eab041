package org.vecformer.bench;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;

/**
 * A matrix product without bias, activation and residual. With one row it is reading W that takes the time, so W is the
 * largest matrix of GPT-2 124M (154 MB in float32); with 128 rows it is multiplying, on a matrix of a feed-forward
 * network.
 */
public class MatmulBenchmark extends OpBenchmark {

    /** Rows of x, and the matrix. */
    public enum Shape {
        /** 1 x 768 times 768 x 50257. */
        DECODE(1, 768, 50257),
        /** 128 x 768 times 768 x 3072. */
        PROMPT(128, 768, 3072);

        final int rows;
        final int inputs;
        final int outputs;

        Shape(int rows, int inputs, int outputs) {
            this.rows = rows;
            this.inputs = inputs;
            this.outputs = outputs;
        }
    }

    @Param
    public Shape shape;

    /** How W is kept. */
    @Param
    public WeightType weights;

    private WeightMatrix w;
    private Tensor x;
    private Tensor out;
    private double[][] expected;

    @Override
    void prepare(Operands operands) throws IOException {
        Operands.Matrix matrix = operands.matrix(weights, shape.inputs, shape.outputs);
        w = keep(matrix);
        HeapTensor plain = operands.activations(shape.rows, shape.inputs);
        x = upload(plain);
        out = ops.tensor(shape.rows, shape.outputs);
        expected = product(plain, matrix.values());
    }

    private double[][] product(HeapTensor x, float[] w) {
        double[][] y = new double[shape.rows][shape.outputs];
        for (int r = 0; r < shape.rows; r++) {
            for (int k = 0; k < shape.inputs; k++) {
                double a = x.data()[x.offset(r) + k];
                for (int n = 0; n < shape.outputs; n++) {
                    y[r][n] += a * w[k * shape.outputs + n];
                }
            }
        }
        return y;
    }

    @Override
    void run() {
        ops.matmul(x, shape.rows, w, null, null, null, out);
    }

    @Override
    void check() {
        Agreement.check("matmul", download(out), shape.rows, (r, n) -> expected[r][n]);
    }

    @Benchmark
    public Tensor matmul() {
        compute();
        return out;
    }
}
