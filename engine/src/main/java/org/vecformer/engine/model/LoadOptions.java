package org.vecformer.engine.model;

import java.util.Objects;
import org.vecformer.engine.WeightType;

/**
 * How a model is loaded.
 *
 * @param weights  how matrices are kept; null keeps each as the file has it (float64 becomes float32). INT8 and INT4
 *                 quantize what the model multiplies with; tables of positions and token types stay as the file has
 *                 them. A matrix that the type cannot hold is kept as float32: one with numbers beyond the range of F16;
 *                 and for INT8 and INT4 one whose inputs are no multiple of 32, or with numbers that are not finite or
 *                 not below 2^100. Without effect on a file that is quantized already in the same way; of one that is
 *                 quantized otherwise the numbers that it stands for are taken
 * @param progress told how far loading is
 * @param warmUp   whether the kernels are compiled while a large model is read, which takes about a second of a
 *                 processor; without it that waits until there has been some computing. Not worth it for a single short
 *                 text
 */
public record LoadOptions(WeightType weights, LoadProgress progress, boolean warmUp) {

    public LoadOptions {
        Objects.requireNonNull(progress, "progress");
    }

    /** Weights as in the file; no progress; kernels compiled meanwhile. */
    public static LoadOptions defaults() {
        return new LoadOptions(null, LoadProgress.NONE, true);
    }

    public LoadOptions withWeights(WeightType weights) {
        return new LoadOptions(weights, progress, warmUp);
    }

    public LoadOptions withProgress(LoadProgress progress) {
        return new LoadOptions(weights, progress, warmUp);
    }

    public LoadOptions withWarmUp(boolean warmUp) {
        return new LoadOptions(weights, progress, warmUp);
    }
}
