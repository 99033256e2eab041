package org.vecformer.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.CpuBackend;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/**
 * Products with matrices alone, in float32, as shares of the multiply-add peak: without bias,
 * activation and residual, in turns, round by round.
 *
 * @param shapes  what is multiplied
 * @param cpu     the kernels
 * @param limits  the machine's
 * @param rounds  how often
 * @param seconds how long each product is timed in each round
 */
record MatrixTargets(List<Shape> shapes, CpuBackend cpu, Limits limits, int rounds,
        double seconds) implements TargetsReport.Part {

    /** Rows of x, and a matrix. */
    record Shape(int rows, int inputs, int outputs) {

        /** The large ones of GPT-2 124M and BERT-base, with the rows of one text and of eight. */
        static final List<Shape> LARGE = List.of(new Shape(128, 768, 2304), new Shape(128, 768, 3072),
                new Shape(128, 3072, 768), new Shape(1024, 768, 3072), new Shape(1024, 3072, 768));

        double gigaflops() {
            return 2e-9 * rows * inputs * outputs;
        }
    }

    /** A product and its operands. */
    private record Product(Shape shape, HeapTensor x, Operands.Matrix w, HeapTensor out, double[] speeds) {

        static Product of(Shape shape, Operands operands, int rounds) throws IOException {
            return new Product(shape, operands.activations(shape.rows, shape.inputs),
                    operands.matrix(WeightType.F32, shape.inputs, shape.outputs),
                    HeapTensor.zeros(shape.rows, shape.outputs), new double[rounds]);
        }

        /** GFLOP/s. */
        double speed(Ops ops, double seconds) {
            long start = System.nanoTime();
            long elapsed;
            int done = 0;
            do {
                ops.matmul(x, shape.rows, w.packed(), null, null, null, out);
                done++;
                elapsed = System.nanoTime() - start;
            } while (elapsed < seconds * 1e9);
            return done * shape.gigaflops() / (elapsed / 1e9);
        }

        /** The first row, in double. */
        void check() {
            Agreement.check("matmul", out, 1, (_, n) -> {
                double sum = 0;
                for (int k = 0; k < shape.inputs; k++) {
                    sum += (double) x.data()[x.offset(0) + k] * w.values()[k * shape.outputs + n];
                }
                return sum;
            });
        }
    }

    @Override
    public void measure(Consumer<Target> rows) throws IOException {
        double[] peak = new double[rounds];
        List<Product> products = new ArrayList<>();
        try (Arena arena = Arena.ofShared(); Ops ops = cpu.openOps(1)) {
            Operands operands = new Operands(arena, cpu.pool());
            for (Shape shape : shapes) {
                products.add(Product.of(shape, operands, rounds));
            }
            // For the compiler.
            products.forEach(product -> product.speed(ops, 2 * seconds));
            for (int round = 0; round < rounds; round++) {
                double before = limits.fmaPeak(seconds);
                for (Product product : products) {
                    product.speeds[round] = product.speed(ops, seconds);
                }
                peak[round] = (before + limits.fmaPeak(seconds)) / 2;
            }
            products.forEach(Product::check);
        }
        Samples peaks = new Samples(peak);
        for (Product product : products) {
            Samples speed = new Samples(product.speeds);
            double share = speed.shareOf(1, peaks).median();
            Shape shape = product.shape;
            rows.accept(Target.of("product f32 " + shape.rows + " x " + shape.inputs + " x " + shape.outputs,
                    ">= 75 % of its limit", speed.median(), Limit.FMA_PEAK.unit())
                    .of(Limit.FMA_PEAK, peaks.median(), share).reached(share >= 0.75));
        }
    }
}
