package org.vecformer.engine.task;

import java.util.List;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderSession;

/**
 * An input on its way to its vector: its windows (one, unless a long text is split), and the vectors of those that have
 * been computed. The windows may be computed in any order and any company: the vector does not show it.
 */
final class EmbeddingInput {

    private final EmbeddingRecipe recipe;
    private final List<EncoderInput> windows;
    private final int[] weights;
    private final boolean truncated;
    private final float[][] vectors;

    /**
     * @param weights the number of the text's own tokens in each window
     */
    EmbeddingInput(EmbeddingRecipe recipe, List<EncoderInput> windows, int[] weights, boolean truncated) {
        this.recipe = recipe;
        this.windows = windows;
        this.weights = weights;
        this.truncated = truncated;
        vectors = new float[windows.size()][];
    }

    /** The sequences that the model has to run. */
    List<EncoderInput> windows() {
        return windows;
    }

    /** Takes what the model says of a window, which is this sequence of the session's last run. */
    void read(EncoderSession session, int sequence, int window) {
        vectors[window] = recipe.vector(session, sequence, windows.get(window));
    }

    /** The result, once all windows have been read. */
    Embedding embedding() {
        int tokens = windows.stream().mapToInt(EncoderInput::length).sum();
        return new Embedding(vectors.length == 1 ? vectors[0] : recipe.average(vectors, weights), tokens, truncated,
                vectors.length);
    }
}
