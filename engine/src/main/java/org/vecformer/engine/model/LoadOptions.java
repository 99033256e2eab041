package org.vecformer.engine.model;

import java.util.Objects;
import org.vecformer.engine.WeightType;

/**
 * How a model is loaded.
 *
 * @param weights  how matrices are kept; null keeps each as the file has it (float64 becomes float32)
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
