package org.vecformer.engine.task;

/** What makes scores of a classifier's logits. */
public enum ScoreFunction {
    /**
     * What the model was trained for, as Hugging Face's pipeline chooses: nothing for a regression, the sigmoid for
     * several labels at once and for a single one, else softmax.
     */
    AUTO,
    /** e^x divided by the sum over the labels: probabilities that sum to 1. */
    SOFTMAX,
    /** 1 / (1 + e^-x), each label for itself. */
    SIGMOID,
    /** The logits themselves. */
    NONE;

    /** The scores of these logits; not for {@link #AUTO}. */
    double[] apply(float[] logits) {
        double[] scores = new double[logits.length];
        switch (this) {
            case SOFTMAX -> softmax(logits, scores);
            case SIGMOID -> {
                for (int i = 0; i < logits.length; i++) {
                    scores[i] = 1 / (1 + StrictMath.exp(-logits[i]));
                }
            }
            case NONE -> {
                for (int i = 0; i < logits.length; i++) {
                    scores[i] = logits[i];
                }
            }
            case AUTO -> throw new IllegalStateException("AUTO has not been resolved");
        }
        return scores;
    }

    private static void softmax(float[] logits, double[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            scores[i] = StrictMath.exp((double) logits[i] - max);
            sum += scores[i];
        }
        for (int i = 0; i < logits.length; i++) {
            scores[i] /= sum;
        }
    }
}
