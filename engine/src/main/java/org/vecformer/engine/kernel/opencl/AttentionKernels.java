package org.vecformer.engine.kernel.opencl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.Tensor;

/**
 * softmax(q K^T * scale) V on a device, over the pages of a key/value cache: {@code attention.cl}. For one session's
 * thread.
 * <p>
 * Rows that are alone or few in their sequence attend one by one, limited by the reading of the cache; where they are too
 * few to fill the device, each in parts of its context, which a second kernel adds up. The rows of prompts and of an
 * encoder's texts attend in tiles, limited by arithmetic. Both may be in one batch, and both run in the same few
 * launches whatever it holds.
 */
final class AttentionKernels implements AutoCloseable {

    /** Floats that the probabilities of some rows may take on the device at a time. */
    private static final int TRACED = 4 << 20;

    private final ClDevice device;
    private final ClQueue queue;
    private final AttentionStep step;
    private final AttentionPlan forced;
    /** For heads and a cache of one kind, as a session has them. */
    private AttentionPlan plan;
    private int headSize;
    private WeightType type;
    private ClKernel storeKeysAndValues;
    private ClKernel attendRow;
    private ClKernel mergeParts;
    private ClKernel traceProbabilities;
    private final Map<Integer, ClKernel> tileKernels = new HashMap<>();
    /** What the parts of a context come to, before they are added up. */
    private ClBuffer partials;

    AttentionKernels(ClDevice device, ClQueue queue) {
        this(device, queue, null);
    }

    /** @param plan how to cut the work; null for what suits the device */
    AttentionKernels(ClDevice device, ClQueue queue, AttentionPlan plan) {
        this.device = device;
        this.queue = queue;
        forced = plan;
        step = new AttentionStep(device, queue);
    }

    /** {@link org.vecformer.engine.kernel.Ops#attention}. */
    void run(DeviceTensor qkv, PackedBatch batch, DeviceKeyValues cache, int layer, float scale, DeviceTensor out,
            AttentionTrace trace) {
        check(qkv, batch, cache, out);
        if (batch.rows() == 0) {
            return;
        }
        prepareKernels(cache);
        ClBuffer keyValues = cache.layers()[layer];
        int heads = cache.heads();
        ClBuffer steps = step.prepare(batch, heads, plan);
        if (!step.alone) {
            storeKeysAndValues.set(0, qkv.data()).set(1, qkv.stride()).set(2, heads).set(3, steps)
                    .set(4, step.storeList)
                    .set(5, keyValues);
            launch(storeKeysAndValues, step.storeGroups, heads, 1, plan.group());
        }
        if (step.decodeRows > 0) {
            decode(qkv, steps, heads, keyValues, scale, out);
        }
        if (step.tiles > 0) {
            ClKernel attendTile = tileKernels.computeIfAbsent(step.tile, this::tileKernel);
            attendTile.set(0, qkv.data()).set(1, qkv.stride()).set(2, heads).set(3, steps).set(4, step.tileList)
                    .set(5, keyValues).set(6, scale).set(7, out.data()).set(8, out.stride());
            launch(attendTile, step.tiles, heads, 1, AttentionPlan.items(step.tile, headSize));
        }
        if (trace != null) {
            trace(qkv, steps, batch, cache, layer, scale, trace);
        }
    }

    private static void check(DeviceTensor qkv, PackedBatch batch, DeviceKeyValues cache, DeviceTensor out) {
        int hidden = cache.heads() * cache.headSize();
        if (qkv.columns() != 3 * hidden || out.columns() != hidden || batch.rows() > qkv.rows()
                || batch.rows() > out.rows()) {
            throw new IllegalArgumentException(
                    "attention of %d rows with %d heads of %d: qkv is %d x %d, out is %d x %d".formatted(batch.rows(),
                            cache.heads(), cache.headSize(), qkv.rows(), qkv.columns(), out.rows(), out.columns()));
        }
        if (cache.type() != WeightType.F32 && cache.type() != WeightType.BF16) {
            throw new IllegalArgumentException("a cache of " + cache.type() + "; expected F32 or BF16");
        }
    }

    private void decode(DeviceTensor qkv, ClBuffer steps, int heads, ClBuffer keyValues, float scale,
            DeviceTensor out) {
        int pagesAtOnce = plan.group() * Integer.BYTES / type.blockBytes();
        int groups = step.decodeRows * heads;
        int wanted = Math.ceilDiv(plan.groupsWanted(), groups);
        int partPages = Math.ceilDiv(Math.ceilDiv(step.decodePages, wanted), pagesAtOnce) * pagesAtOnce;
        int parts = Math.ceilDiv(step.decodePages, partPages);
        if (parts > 1) {
            long bytes = (long) groups * parts * (headSize + 2) * Float.BYTES;
            if (partials == null || partials.bytes() < bytes) {
                closePartials();
                partials = device.allocate(bytes, "attention's partial sums");
            }
        }
        attendRow.set(0, qkv.data()).set(1, qkv.stride()).set(2, heads).set(3, steps).set(4, step.decodeList)
                .set(5, keyValues).set(6, scale).set(7, partPages).set(8, step.alone ? 1 : 0).set(9, out.data())
                .set(10, out.stride()).set(11, partials);
        launch(attendRow, step.decodeRows, heads, parts, plan.group());
        if (parts > 1) {
            mergeParts.set(0, steps).set(1, step.decodeList).set(2, partPages).set(3, parts).set(4, partials)
                    .set(5, out.data()).set(6, out.stride());
            launch(mergeParts, step.decodeRows, heads, Math.ceilDiv(headSize, Tensor.PANEL), Tensor.PANEL);
        }
    }

    private void launch(ClKernel kernel, int x, int y, int z, int items) {
        queue.launch(kernel, new long[]{(long) x * items, y, z}, new long[]{items, 1, 1});
    }

    private void trace(DeviceTensor qkv, ClBuffer steps, PackedBatch batch, DeviceKeyValues cache, int layer,
            float scale, AttentionTrace trace) {
        int heads = cache.heads();
        int stride = 0;
        for (int s = 0; s < batch.sequences; s++) {
            stride = Math.max(stride, Tensor.roundUp(AttentionStep.seen(batch, s, batch.starts[s + 1] - 1)));
        }
        int atOnce = Math.clamp(TRACED / ((long) heads * stride), 1, batch.rows());
        float[] read = new float[atOnce * heads * stride];
        try (ClBuffer traced = device.allocate((long) read.length * Float.BYTES, "attention probabilities")) {
            int s = 0;
            for (int first = 0; first < batch.rows(); first += atOnce) {
                int count = Math.min(atOnce, batch.rows() - first);
                traceProbabilities.set(0, qkv.data()).set(1, qkv.stride()).set(2, heads).set(3, steps).set(4, first)
                        .set(5, cache.layers()[layer]).set(6, scale).set(7, traced).set(8, stride);
                launch(traceProbabilities, count, heads, 1, plan.group());
                queue.read(traced, 0, read, 0, count * heads * stride);
                for (int row = first; row < first + count; row++) {
                    while (row >= batch.starts[s + 1]) {
                        s++;
                    }
                    int seen = AttentionStep.seen(batch, s, row);
                    for (int head = 0; head < heads; head++) {
                        int from = ((row - first) * heads + head) * stride;
                        trace.probabilities(layer, head, row, Arrays.copyOfRange(read, from, from + seen));
                    }
                }
            }
        }
    }

    private void prepareKernels(DeviceKeyValues cache) {
        if (storeKeysAndValues != null && headSize == cache.headSize() && type == cache.type()) {
            return;
        }
        closeKernels();
        headSize = cache.headSize();
        type = cache.type();
        plan = forced == null ? AttentionPlan.of(device.description(), headSize) : forced;
        ClProgram program = program("GROUP=" + plan.group());
        storeKeysAndValues = program.kernel("storeKeysAndValues");
        attendRow = program.kernel("attendRow");
        mergeParts = program.kernel("mergeParts");
        traceProbabilities = program.kernel("traceProbabilities");
    }

    private ClKernel tileKernel(int tile) {
        return program("TILE=" + tile, "ROWS=" + AttentionPlan.rowsOfItem(tile, headSize)).kernel("attendTile");
    }

    private ClProgram program(String... defines) {
        List<String> all = new ArrayList<>(List.of(defines));
        all.add("HEAD_SIZE=" + headSize);
        all.add("BFLOAT16=" + (type == WeightType.BF16 ? 1 : 0));
        if (device.description().type() == ComputeDevice.Type.CPU) {
            all.add("ROLLED");
        }
        return device.program("attention.cl", all.toArray(String[]::new));
    }

    private void closeKernels() {
        for (ClKernel kernel : new ClKernel[]{storeKeysAndValues, attendRow, mergeParts, traceProbabilities}) {
            if (kernel != null) {
                kernel.close();
            }
        }
        storeKeysAndValues = null;
        tileKernels.values().forEach(ClKernel::close);
        tileKernels.clear();
    }

    private void closePartials() {
        if (partials != null) {
            partials.close();
            partials = null;
        }
    }

    @Override
    public void close() {
        closeKernels();
        closePartials();
        step.close();
    }
}
