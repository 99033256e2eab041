package org.vecformer.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValuePages;

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

    private KeyValuePages pages;
    private PackedBatch batch;
    private HeapTensor all;
    private HeapTensor qkv;
    private HeapTensor out;
    private double[][] expected;

    @Override
    void prepare(Operands operands, Arena memory) {
        int positions = shape.past + shape.rows;
        int count = Math.ceilDiv(positions, KeyValuePages.POSITIONS);
        pages = new KeyValuePages(memory, count, 1, HEADS, HEAD_SIZE, WeightType.F32);
        int[] table = new int[count];
        for (int i = 0; i < count; i++) {
            table[i] = i;
            pages.commit(i);
        }
        all = operands.activations(positions, 3 * HIDDEN);
        qkv = HeapTensor.zeros(shape.rows, 3 * HIDDEN);
        System.arraycopy(all.data(), all.offset(shape.past), qkv.data(), 0, shape.rows * qkv.stride());
        out = HeapTensor.zeros(shape.rows, HIDDEN);
        if (shape.past > 0) {
            ops.attention(all, batch(0, shape.past, table), pages, 0, SCALE, HeapTensor.zeros(shape.past, HIDDEN),
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
    void compute() {
        ops.attention(qkv, batch, pages, 0, SCALE, out, null);
    }

    @Override
    void check() {
        Agreement.check("attention", out, shape.rows, (r, c) -> expected[r][c]);
    }

    @Benchmark
    public float attention() {
        compute();
        return out.data()[0];
    }
}
