package org.vecformer.engine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * Gets kernels compiled before they are needed, by calling each on small made-up data. Until the C2 compiler has seen them, vector
 * kernels are slower than plain loops: every operation makes an object.
 */
final class WarmUp {

    /** Calls with a short k while a kernel is interpreted (C1 compiles after 200), then with a longer one while it is profiled. */
    private static final int SHORT_CALLS = 250;
    private static final int SHORT_K = 1;
    private static final int LONG_CALLS = 1500;
    private static final int LONG_K = 64;

    private static final int[] ROWS = {1, 8, 6, 4, 2};

    private final CpuKernels kernels;
    private final BooleanSupplier stopped;

    private WarmUp(CpuKernels kernels, BooleanSupplier stopped) {
        this.kernels = kernels;
        this.stopped = stopped;
    }

    /**
     * Runs all kernels; some hundred milliseconds.
     *
     * @param stopped asked often; when true, it returns early
     */
    static void run(CpuKernels kernels, BooleanSupplier stopped) {
        try (Arena arena = Arena.ofConfined()) {
            new WarmUp(kernels, stopped).all(arena);
        }
    }

    private void all(Arena arena) {
        int panel = Tensor.PANEL;
        float[] a = new float[8 * LONG_K];
        float[] c = new float[8 * panel];
        MemorySegment b = arena.allocate((long) LONG_K * panel * Float.BYTES, PackedMatrix.ALIGNMENT);
        MemorySegment wide = arena.allocate((long) LONG_K * panel * Float.BYTES, PackedMatrix.ALIGNMENT);
        for (int rows : ROWS) {
            repeat(k -> kernels.tile(a, 0, LONG_K, rows, k, b, 0, c, 0, panel, false));
        }
        repeat(_ -> kernels.layerNorm(a, 0, LONG_K, b, b, 1, c, 0));
        repeat(_ -> kernels.softmaxNumerators(a, 0, LONG_K, 1));
        repeat(_ -> kernels.finish(c, 0, panel, 1, b, 0, Activation.GELU_NEW, a));
        for (WeightType type : new WeightType[]{WeightType.BF16, WeightType.F16}) {
            repeat(k -> kernels.narrowTile(a, 0, new PackedMatrix(b, type, k, panel), 0, c, 0));
            repeat(k -> kernels.widen(new PackedMatrix(b, type, k, panel), 0, wide));
        }
    }

    private interface Kernel {
        void call(int k);
    }

    private void repeat(Kernel kernel) {
        for (int i = 0; i < SHORT_CALLS && !stopped.getAsBoolean(); i++) {
            kernel.call(SHORT_K);
        }
        for (int i = 0; i < LONG_CALLS && !stopped.getAsBoolean(); i++) {
            kernel.call(LONG_K);
        }
    }
}
