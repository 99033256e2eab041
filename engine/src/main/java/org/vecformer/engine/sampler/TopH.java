package org.vecformer.engine.sampler;

import org.vecformer.engine.kernel.ScalarMath;

/**
 * Keeps the most likely candidates as long as their share of the distribution's entropy is at most top-h; the most
 * likely one in any case. The distribution is that of the 100 most likely candidates.
 * <p>
 * Equal to Hugging Face's {@code TopHLogitsWarper}: in descending order, candidates stay as long as the sum of -p log p
 * up to and including theirs is at most top-h times the whole sum, compared in float32; of equal logits at the edge the higher ids stay (there that
 * is not defined). (Potraghloo et al. 2025,
 * arXiv 2509.02510.)
 */
public final class TopH implements Sampler {
    private static final int MOST = 100;

    private final float topH;
    private final int[] best = new int[MOST];
    private final float[] weights = new float[MOST];

    /**
     * @throws IllegalArgumentException if top-h is not above 0 and at most 1
     */
    public TopH(double topH) {
        if (!(topH > 0 && topH <= 1)) {
            throw new IllegalArgumentException("top-h is " + topH + "; it must be above 0 and at most 1");
        }
        this.topH = (float) topH;
    }

    @Override
    public void apply(Candidates candidates) {
        int count = candidates.best(MOST, best);
        float[] logits = candidates.logits();
        float max = logits[best[0]];
        if (!Float.isFinite(max)) {
            candidates.keepInfinite();
            return;
        }
        double total = 0;
        for (int i = 0; i < count; i++) {
            // What cannot come, or is too unlikely for a float, has no share; the comparison is also for NaN.
            float difference = logits[best[i]] - max;
            weights[i] = difference > Float.NEGATIVE_INFINITY ? ScalarMath.exp(difference) : 0;
            total += weights[i];
        }
        double logTotal = StrictMath.log(total);
        double entropy = 0;
        for (int i = 0; i < count && weights[i] > 0; i++) {
            weights[i] = (float) (weights[i] / total);
            // From here on each weight is the share of the entropy.
            weights[i] *= (float) (logTotal - (logits[best[i]] - max));
            entropy += weights[i];
        }
        float limit = (float) entropy * topH;
        int kept = 1;
        double sum = weights[0];
        while (kept < count && weights[kept] > 0 && (float) (sum + weights[kept]) <= limit) {
            sum += weights[kept++];
        }
        float edge = logits[best[kept - 1]];
        candidates.keepFrom(edge, candidates.countFrom(edge) - kept);
    }

    @Override
    public TopH copy() {
        return new TopH(topH);
    }
}
