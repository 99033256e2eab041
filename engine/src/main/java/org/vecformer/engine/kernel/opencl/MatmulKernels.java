package org.vecformer.engine.kernel.opencl;

import java.util.HashMap;
import java.util.Map;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tile;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tiles;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Vectors;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * Matrix products on a device: out = activation(x W + bias) + residual. The same bits in every run of the same shape.
 * <p>
 * Kernels are compiled when they are first needed, one for each weight type, activation and form (of rows in a pass or
 * of tiles): a model has one weight type and activation, so a handful. The activation is compiled in because it would be
 * inlined up to 64 times in each kernel with all its alternatives; whether there is a bias or a residual is decided as
 * the kernel runs, once for four numbers of the result. For one thread at a time.
 */
final class MatmulKernels implements AutoCloseable {

    private final ClDevice device;
    private final ClQueue queue;
    private final Map<Variant, ClKernel> kernels = new HashMap<>();
    /** What the shares of inputs add up to; null until it is needed. */
    private ClBuffer parts;

    /** A compiled kernel. */
    private sealed interface Variant {
        record Product(WeightType type, Activation activation, int rows) implements Variant {}

        record TiledProduct(WeightType type, Activation activation, Tile tile) implements Variant {}

        record Sum(Activation activation) implements Variant {}
    }

    /** Where the results of a kernel go: those of a product, or sums that are not finished. */
    private record Target(DeviceVector bias, Activation activation, DeviceTensor residual, ClBuffer data, int stride) {

        /** Sets the arguments that all kernels end with. */
        ClKernel set(ClKernel kernel, int index) {
            return kernel.set(index, bias == null ? null : bias.data())
                    .set(index + 1, residual == null ? null : residual.data())
                    .set(index + 2, residual == null ? 0 : residual.stride() / 4)
                    .set(index + 3, data)
                    .set(index + 4, stride / 4);
        }
    }

    MatmulKernels(ClDevice device, ClQueue queue) {
        this.device = device;
        this.queue = queue;
    }

    /**
     * Computes {@code rows} rows of out. Whole panels of 32 are written, so what lies behind a row's columns changes.
     *
     * @param bias       may be null
     * @param activation may be null
     * @param residual   may be null; of the shape of out
     * @param out        neither x nor residual
     */
    void run(DeviceTensor x, int rows, DeviceMatrix w, DeviceVector bias, Activation activation,
            DeviceTensor residual, DeviceTensor out) {
        if (rows > 0) {
            run(MatmulPlan.of(device.description(), rows, w.type(), w.inputs(), w.outputs()), x, rows, w, bias,
                    activation, residual, out);
        }
    }

    /** The same as a plan says; for tests. */
    void run(MatmulPlan plan, DeviceTensor x, int rows, DeviceMatrix w, DeviceVector bias, Activation activation,
            DeviceTensor residual, DeviceTensor out) {
        Target target = new Target(bias, activation, residual, out.data(), out.stride());
        if (plan.shares() == 1) {
            multiply(plan, x, rows, w, target);
            return;
        }
        int stride = Tensor.roundUp(w.outputs());
        ClBuffer sums = parts((long) plan.shares() * rows * stride * Float.BYTES);
        multiply(plan, x, rows, w, new Target(null, null, null, sums, stride));
        ClKernel add = kernel(new Variant.Sum(activation));
        add.set(0, sums).set(1, plan.shares()).set(2, rows).set(3, stride / 4);
        int items = Math.min(Tensor.PANEL * 2, add.maxWorkGroupSize());
        queue.launch(target.set(add, 4), new long[]{Math.ceilDiv(stride / 4, items) * (long) items, rows},
                new long[]{items, 1});
    }

    private void multiply(MatmulPlan plan, DeviceTensor x, int rows, DeviceMatrix w, Target target) {
        switch (plan) {
            case Vectors vectors -> multiply(vectors, x, rows, w, target);
            case Tiles tiles -> multiply(tiles, x, rows, w, target);
        }
    }

    private void multiply(Vectors plan, DeviceTensor x, int rows, DeviceMatrix w, Target target) {
        ClKernel kernel = kernel(new Variant.Product(w.type(), target.activation, plan.rows()));
        // Registers may leave room for fewer items than the device has.
        int items = Math.min(plan.items(), kernel.maxWorkGroupSize() / Tensor.PANEL * Tensor.PANEL);
        checkItems(kernel, Math.max(items, Tensor.PANEL));
        kernel.set(0, x.data()).set(1, x.stride() / 4).set(2, rows).set(3, w.data()).set(4, w.inputs())
                .set(5, plan.share());
        target.set(kernel, 6).local(11, Vectors.scratchBytes(plan.rows(), w.type(), items));
        long passes = Math.ceilDiv(rows, plan.rows());
        queue.launch(kernel, new long[]{passes * items, Math.ceilDiv(w.outputs(), Tensor.PANEL), plan.shares()},
                new long[]{items, 1, 1});
    }

    private void multiply(Tiles plan, DeviceTensor x, int rows, DeviceMatrix w, Target target) {
        Tile tile = plan.tile();
        ClKernel kernel = kernel(new Variant.TiledProduct(w.type(), target.activation, tile));
        while (kernel.maxWorkGroupSize() < tile.items() && tile != Tile.SMALL) {
            tile = Tile.values()[tile.ordinal() + 1];
            kernel = kernel(new Variant.TiledProduct(w.type(), target.activation, tile));
        }
        checkItems(kernel, tile.items());
        kernel.set(0, x.data()).set(1, x.stride() / 4).set(2, rows).set(3, w.data()).set(4, w.inputs())
                .set(5, plan.share()).set(6, Math.ceilDiv(w.outputs(), Tensor.PANEL));
        long down = Math.ceilDiv(rows, tile.rows());
        queue.launch(target.set(kernel, 7),
                new long[]{down * tile.items(), Math.ceilDiv(w.outputs(), tile.columns()), plan.shares()},
                new long[]{tile.items(), 1, 1});
    }

    private void checkItems(ClKernel kernel, int items) {
        if (kernel.maxWorkGroupSize() < items) {
            throw new DeviceException("matrix products need work-groups of " + items + " items; " + device.name()
                    + " has at most " + kernel.maxWorkGroupSize());
        }
    }

    private ClKernel kernel(Variant variant) {
        return kernels.computeIfAbsent(variant, v -> switch (v) {
            case Variant.Product(WeightType type, Activation activation, int rows) -> device.program("matvec.cl",
                    "WEIGHTS=WEIGHTS_" + type, activation(activation), "ROWS=" + rows,
                    "PORTION=" + Vectors.portion(rows, type)).kernel("matvec");
            case Variant.TiledProduct(WeightType type, Activation activation, Tile tile) -> device.program("matmul.cl",
                    "WEIGHTS=WEIGHTS_" + type, activation(activation), "ITEM_ROWS=" + tile.itemRows(),
                    "ITEM_COLUMNS=" + tile.itemColumns(), "TILE_COLUMNS=" + tile.columns()).kernel("matmul");
            case Variant.Sum(Activation activation) ->
                device.program("parts.cl", activation(activation)).kernel("addParts");
        });
    }

    private static String activation(Activation activation) {
        return "ACTIVATION=ACTIVATION_" + (activation == null ? "NONE" : activation.name());
    }

    /** Memory of at least that size. What was computed in it before is used up: the queue is in order. */
    private ClBuffer parts(long bytes) {
        if (parts == null || parts.bytes() < bytes) {
            if (parts != null) {
                parts.close();
                parts = null;
            }
            parts = device.allocate(bytes, "the parts of a matrix product");
        }
        return parts;
    }

    @Override
    public void close() {
        kernels.values().forEach(ClKernel::close);
        kernels.clear();
        if (parts != null) {
            parts.close();
            parts = null;
        }
    }
}
