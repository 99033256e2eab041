package org.vecformer.engine.kernel.opencl;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.LogitRows;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.MemoryAccount;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Activation;

/**
 * {@link Ops} on a device: one queue for a session, in order, on which nobody waits but who reads a result.
 * <p>
 * Results agree with the CPU's within rounding, and with themselves from run to run: no sum's order depends on which
 * work-group comes first.
 */
final class OpenClOps implements Ops {

    private static final String ACTIVATIONS = "the activations of a session";
    private static final String CACHE = "the key/value cache of a session";

    private final ClDevice device;
    final ClQueue queue;
    private final RowKernels rows;
    private final MatmulKernels products;
    private final AttentionKernels attention;
    private final RowReader reader;
    /** Of tensors and caches, some of which may have been closed already. */
    private final List<ClBuffer> memory = new ArrayList<>();
    private final MemoryAccount.Share caches;
    private final MemoryAccount.Share scratch;

    OpenClOps(ClDevice device, MemoryAccount account) {
        this.device = device;
        caches = account.open(MemoryAccount.Purpose.CACHES);
        scratch = account.open(MemoryAccount.Purpose.SCRATCH);
        queue = device.openQueue();
        try {
            rows = new RowKernels(device, queue);
        } catch (RuntimeException | Error e) {
            queue.close();
            throw e;
        }
        products = new MatmulKernels(device, queue);
        attention = new AttentionKernels(device, queue);
        reader = new RowReader(queue);
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        long bytes = DeviceTensor.byteSize(rows, columns);
        scratch.take(bytes);
        return new DeviceTensor(allocate(bytes, ACTIVATIONS), rows, columns, scratch);
    }

    @Override
    public KeyValueMemory keyValues(int pages, int layers, int heads, int headSize, WeightType type) {
        DeviceKeyValues cache = new DeviceKeyValues(queue, new ClBuffer[layers], pages, heads, headSize, type);
        caches.take(layers * cache.layerBytes());
        device.checkRoom(layers * cache.layerBytes(), CACHE);
        for (int i = 0; i < layers; i++) {
            cache.layers()[i] = allocate(cache.layerBytes(), CACHE);
        }
        return cache;
    }

    private ClBuffer allocate(long bytes, String what) {
        memory.removeIf(ClBuffer::isClosed);
        ClBuffer buffer = device.allocate(bytes, what);
        memory.add(buffer);
        return buffer;
    }

    @Override
    public void embed(int[] ids, int[] positionIds, int[] types, int rows, WeightMatrix tokens, WeightMatrix positions,
            WeightMatrix typeTable, Tensor out) {
        this.rows.embed(ids, positionIds, types, rows, (DeviceMatrix) tokens, (DeviceMatrix) positions,
                (DeviceMatrix) typeTable, (DeviceTensor) out);
    }

    @Override
    public void layerNorm(Tensor x, int rows, WeightVector gain, WeightVector bias, float epsilon, Tensor out) {
        this.rows.layerNorm((DeviceTensor) x, rows, (DeviceVector) gain, (DeviceVector) bias, epsilon,
                (DeviceTensor) out);
    }

    @Override
    public void matmul(Tensor x, int rows, WeightMatrix w, WeightVector bias, Activation activation, Tensor residual,
            Tensor out) {
        Ops.checkProduct(x, rows, w, residual, out);
        products.run((DeviceTensor) x, rows, (DeviceMatrix) w, (DeviceVector) bias, activation,
                (DeviceTensor) residual, (DeviceTensor) out);
    }

    @Override
    public void attention(Tensor qkv, PackedBatch batch, KeyValueMemory cache, int layer, float scale, Tensor out,
            AttentionTrace trace) {
        attention.run((DeviceTensor) qkv, batch, (DeviceKeyValues) cache, layer, scale, (DeviceTensor) out, trace);
    }

    @Override
    public void gatherRows(Tensor x, int[] rows, int count, Tensor out) {
        this.rows.gatherRows((DeviceTensor) x, rows, count, (DeviceTensor) out);
    }

    @Override
    public boolean isRemote() {
        return true;
    }

    @Override
    public void argMax(Tensor x, int rows, int[] ids) {
        this.rows.argMax((DeviceTensor) x, rows, ids);
    }

    @Override
    public int topK(Tensor x, int row, int k, int[] ids, float[] values) {
        if (k <= RowKernels.MOST_OF_TOP) {
            return rows.topK((DeviceTensor) x, row, k, ids, values);
        }
        float[] all = new float[x.columns()];
        read(x, row, all);
        return LogitRows.topK(all, 0, all.length, k, ids, values);
    }

    @Override
    public double logSumExp(Tensor x, int row) {
        return rows.logSumExp((DeviceTensor) x, row);
    }

    @Override
    public synchronized void read(Tensor x, int row, float[] destination) {
        reader.read((DeviceTensor) x, row, destination);
    }

    @Override
    public void write(float[] source, Tensor x, int row) {
        DeviceTensor to = (DeviceTensor) x;
        queue.write(to.data(), to.offset(row), source, 0, to.columns());
    }

    @Override
    public void await() {
        queue.finish();
    }

    @Override
    public void close() {
        attention.close();
        products.close();
        rows.close();
        memory.forEach(ClBuffer::close);
        queue.close();
        caches.close();
        scratch.close();
    }
}
