package org.vecformer.engine.kernel;

import java.util.Arrays;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/** A backend with operands for its ops, which tests give as plain numbers. */
final class OpLab implements AutoCloseable {

    /** In the rows that an op must not touch. */
    static final float SENTINEL = -12345.678f;
    private static final int GUARD_ROWS = 2;

    final Ops ops;
    private final WeightMemory weights;

    OpLab(Backend backend) {
        ops = backend.openOps(400);
        weights = backend.openWeights();
    }

    Tensor tensor(double[][] rows) {
        int columns = rows[0].length;
        Tensor tensor = ops.tensor(rows.length, columns);
        if (tensor instanceof HeapTensor heap) {
            // What lies past a row's end must not matter.
            Arrays.fill(heap.data(), 77);
        }
        for (int r = 0; r < rows.length; r++) {
            ops.write(floats(rows[r]), tensor, r);
        }
        return tensor;
    }

    /** Room for rows that an op writes, with rows behind them that it must not write. */
    Tensor guarded(int rows, int columns) {
        Tensor tensor = ops.tensor(rows + GUARD_ROWS, columns);
        float[] guard = new float[columns];
        Arrays.fill(guard, SENTINEL);
        for (int r = 0; r < rows + GUARD_ROWS; r++) {
            ops.write(guard, tensor, r);
        }
        return tensor;
    }

    WeightMatrix matrix(PackedMatrix matrix) {
        return weights.keep(matrix);
    }

    WeightVector vector(PackedVector vector) {
        return weights.keep(vector);
    }

    /** All numbers, the guards included. */
    float[][] numbers(Tensor tensor) {
        float[][] rows = new float[tensor.rows()][tensor.columns()];
        for (int r = 0; r < rows.length; r++) {
            ops.read(tensor, r, rows[r]);
        }
        return rows;
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    @Override
    public void close() {
        ops.close();
        weights.close();
    }
}
