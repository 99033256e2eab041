package org.vecformer.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.Tensor;

/** Attention of one layer with 12 heads of 64, as in GPT-2 124M. */
public class AttentionBenchmark extends OpBenchmark {

    private static final int HEADS = 12;
    private static final int HEAD_SIZE = 64;
    private static final int HIDDEN = HEADS * HEAD_SIZE;
    private static final float SCALE = 0.125f;

    /** What attends to what. */
    public enum Shape {
        /** One token after 1000. */
        DECODE(1000, 1),
        /** A prompt of 128. */
        PROMPT(0, 128);

        final int past;
        final int rows;

        Shape(int past, int rows) {
            this.past = past;
            this.rows = rows;
        }
    }

    @Param
    public Shape shape;

    private KeyValueMemory pages;
    private PackedBatch batch;
    private HeapTensor all;
    private Tensor qkv;
    private Tensor out;
    private double[][] expected;

    @Override
    void prepare(Operands operands) {
        int positions = shape.past + shape.rows;
        int count = Math.ceilDiv(positions, KeyValuePages.POSITIONS);
        pages = ops.keyValues(count, 1, HEADS, HEAD_SIZE, WeightType.F32);
        int[] table = new int[count];
        for (int i = 0; i < count; i++) {
            table[i] = i;
            pages.commit(i);
        }
        all = operands.activations(positions, 3 * HIDDEN);
        HeapTensor last = HeapTensor.zeros(shape.rows, 3 * HIDDEN);
        System.arraycopy(all.data(), all.offset(shape.past), last.data(), 0, shape.rows * last.stride());
        qkv = upload(last);
        out = ops.tensor(shape.rows, HIDDEN);
        if (shape.past > 0) {
            ops.attention(upload(all), batch(0, shape.past, table), pages, 0, SCALE, ops.tensor(shape.past, HIDDEN),
                    null);
        }
        batch = batch(shape.past, shape.rows, table);
        expected = new double[shape.rows][HIDDEN];
        for (int r = 0; r < shape.rows; r++) {
            for (int head = 0; head < HEADS; head++) {
                attend(shape.past + r, head, expected[r]);
            }
        }
    }

    private static PackedBatch batch(int past, int rows, int[] table) {
        PackedBatch batch = new PackedBatch(1);
        batch.sequences = 1;
        batch.starts[1] = rows;
        batch.past[0] = past;
        batch.pages[0] = table;
        return batch;
    }

    private void attend(int position, int head, double[] row) {
        int query = all.offset(position) + head * HEAD_SIZE;
        double[] weights = new double[position + 1];
        double sum = 0;
        for (int p = 0; p <= position; p++) {
            int key = all.offset(p) + HIDDEN + head * HEAD_SIZE;
            double score = 0;
            for (int d = 0; d < HEAD_SIZE; d++) {
                score += (double) all.data()[query + d] * all.data()[key + d];
            }
            // Scores are below 8: no need to subtract the maximum.
            weights[p] = Math.exp(score * SCALE);
            sum += weights[p];
        }
        for (int p = 0; p <= position; p++) {
            int value = all.offset(p) + 2 * HIDDEN + head * HEAD_SIZE;
            for (int d = 0; d < HEAD_SIZE; d++) {
                row[head * HEAD_SIZE + d] += weights[p] / sum * all.data()[value + d];
            }
        }
    }

    @Override
    void run() {
        ops.attention(qkv, batch, pages, 0, SCALE, out, null);
    }

    @Override
    void check() {
        Agreement.check("attention", download(out), shape.rows, (r, c) -> expected[r][c]);
    }

    @Benchmark
    public Tensor attention() {
        compute();
        return out;
    }
}
