package org.vecformer.engine.model;

import java.util.Objects;
import org.vecformer.engine.WeightType;

/**
 * How a model is loaded.
 *
 * @param weights  how matrices are kept; null keeps each as the file has it (float64 becomes float32)
 * @param progress told how far loading is
 */
public record LoadOptions(WeightType weights, LoadProgress progress) {

    public LoadOptions {
        Objects.requireNonNull(progress, "progress");
    }

    /** Weights as in the file; no progress. */
    public static LoadOptions defaults() {
        return new LoadOptions(null, LoadProgress.NONE);
    }

    public LoadOptions withWeights(WeightType weights) {
        return new LoadOptions(weights, progress);
    }

    public LoadOptions withProgress(LoadProgress progress) {
        return new LoadOptions(weights, progress);
    }
}
