package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * Gets kernels compiled before they are needed, by calling each on small made-up data. Until the C2 compiler has seen
 * them, vector kernels are slower than plain loops: every operation makes an object.
 */
final class WarmUp {

    /**
     * Calls with a short k while a kernel is interpreted (C1 compiles after 200), then with longer ones while
     * it is profiled.
     */
    private static final int SHORT_CALLS = 250;
    private static final int LONG_CALLS = 1500;
    private static final int LONG_K = 64;
    /** Rows for layer norm and softmax are longer, as these are cheap. */
    private static final int ROW_FACTOR = 16;

    private static final int[] ROWS = {1, 8, 6, 4, 2};
    private static final int[] FEW_ROWS = {1, 4, 2};

    private final int panel = Tensor.PANEL;
    private final float[] a = new float[(ROW_FACTOR + 4) * LONG_K];
    private final float[] c = new float[(ROW_FACTOR + 4) * LONG_K];
    private final CpuKernels kernels;
    private final BooleanSupplier stopped;

    private WarmUp(CpuKernels kernels, BooleanSupplier stopped) {
        this.kernels = kernels;
        this.stopped = stopped;
    }

    /**
     * Runs the kernels that products with weights of a type need; some hundred milliseconds.
     *
     * @param first   whether to run those, too, that every model needs
     * @param stopped asked often; when true, it returns early
     */
    static void run(CpuKernels kernels, boolean first, WeightType type, BooleanSupplier stopped) {
        try (Arena arena = Arena.ofConfined()) {
            WarmUp warmUp = new WarmUp(kernels, stopped);
            MemorySegment b = arena.allocate(4L * LONG_K * Tensor.PANEL * Float.BYTES, PackedMatrix.ALIGNMENT);
            if (first) {
                warmUp.common(b);
            }
            if (type != WeightType.F32) {
                warmUp.narrow(type, b, arena);
            }
        }
    }

    /**
     * The arguments vary as in earnest: the JIT takes a branch that it never saw for one that never comes, and throws
     * the code away when it comes.
     */
    private void common(MemorySegment b) {
        for (int rows : ROWS) {
            repeat((i, k) -> kernels.tile(a, i % 3 * panel, LONG_K, rows, k, b, i % 2 * PackedMatrix.ALIGNMENT * 2, c,
                    i % 5 * panel, panel, i % 3 == 0));
        }
        repeat((i, k) -> kernels.twoTiles(a, i % 3 * panel, k, b, 0, b, i % 2 * PackedMatrix.ALIGNMENT * 2, c,
                i % 5 * panel, i % 3 == 0));
        repeat((i, k) -> kernels.divide(a, 0, k, 2, c, i % 3 * panel));
        repeat((i, k) -> kernels.copy(a, i % 3 * panel, k, b, i % 2 * PackedMatrix.ALIGNMENT * 2));
        repeat((i, k) -> kernels.softmaxNumerators(a, i % 3 * panel, ROW_FACTOR * k - i % 2, 1));
        Activation[] activations = {null, Activation.GELU_NEW, Activation.GELU};
        repeat((i, _) -> kernels.finish(c, i % 5 * panel, panel, 1 + i % 8, i % 4 == 0 ? null : b, i % 2 * 128L,
                activations[i % 3], i % 2 == 0 ? null : a));
        repeat((i, k) -> kernels.layerNorm(a, i % 3 * panel, ROW_FACTOR * k - i % 2, b, b, 1, c, 0));
    }

    private void narrow(WeightType type, MemorySegment b, Arena arena) {
        MemorySegment wide = arena.allocate(2L * LONG_K * panel * Float.BYTES, PackedMatrix.ALIGNMENT);
        for (int rows : FEW_ROWS) {
            repeat((i, k) -> kernels.narrowTile(a, i % 3 * panel, LONG_K, rows, matrix(b, type, k), 0, 1 + i % 4, c,
                    i % 5 * panel, panel));
        }
        repeat((i, k) -> kernels.widen(matrix(b, type, k), i % 2, wide));
    }

    private static PackedMatrix matrix(MemorySegment b, WeightType type, int k) {
        return new PackedMatrix(b, type, type.quantized() ? WeightType.BLOCK * Math.ceilDiv(k, WeightType.BLOCK) : k,
                4 * Tensor.PANEL);
    }

    private interface Kernel {
        void call(int i, int k);
    }

    private void repeat(Kernel kernel) {
        for (int i = 0; i < SHORT_CALLS && !stopped.getAsBoolean(); i++) {
            kernel.call(i, 1 + i % 2);
        }
        for (int i = 0; i < LONG_CALLS && !stopped.getAsBoolean(); i++) {
            kernel.call(i, i % 7 == 0 ? LONG_K / 2 : LONG_K);
        }
    }
}
