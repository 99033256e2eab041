package org.vecformer.engine.generation;

import java.util.Objects;
import org.vecformer.engine.sampler.LogSoftmax;

/**
 * Classifier-free guidance: the log-probabilities l behind the prompt and u behind a negative prompt give
 * {@code u + scale x (l - u)}. As Hugging Face's {@code guidance_scale}. (Sanchez et al. 2023, arXiv 2306.17806.)
 *
 * @param scale          1 changes nothing, more moves away from what the negative prompt suggests
 * @param negativePrompt token ids; empty for the last token of the prompt
 */
public record Guidance(double scale, int[] negativePrompt) {

    public Guidance {
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        if (!Double.isFinite(scale)) {
            throw new IllegalArgumentException("the guidance scale is " + scale + "; expected a finite number");
        }
    }

    /** Against the last token of the prompt alone: what the model would write without most of it. */
    public Guidance(double scale) {
        this(scale, new int[0]);
    }

    /**
     * Changes logits to guided ones, which are log-probabilities before they are normalized.
     *
     * @param logits   behind the prompt; receives the result
     * @param negative behind the negative prompt; becomes log-probabilities
     */
    void apply(float[] logits, float[] negative) {
        LogSoftmax.normalize(logits, logits.length);
        LogSoftmax.normalize(negative, negative.length);
        float factor = (float) scale;
        for (int i = 0; i < logits.length; i++) {
            logits[i] = factor * (logits[i] - negative[i]) + negative[i];
        }
    }
}
