package org.vecformer.engine.sampler;

/**
 * Keeps the logits that are at most n standard deviations below the largest. The temperature does not change who stays.
 * <p>
 * By Tang et al. 2024 (arXiv 2411.07641), as in llama.cpp: the standard deviation is that of all the candidates that can
 * come (logits above negative infinity), with their number as divisor.
 */
public final class TopNSigma implements Sampler {
    private final double n;

    /**
     * @throws IllegalArgumentException if n is not a positive finite number
     */
    public TopNSigma(double n) {
        this.n = Parameters.positive("top-n-sigma", n);
    }

    @Override
    public void apply(Candidates candidates) {
        float max = candidates.largest();
        if (!Float.isFinite(max)) {
            candidates.keepInfinite();
        } else {
            candidates.keepFrom((float) (max - n * deviation(candidates, max)));
        }
    }

    private static double deviation(Candidates candidates, float max) {
        float[] logits = candidates.logits();
        int size = candidates.size();
        int count = 0;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < size; i++) {
            // Measured from the largest, so that the difference of the sums loses nothing to a common offset.
            double distance = max - logits[i];
            if (distance < Double.POSITIVE_INFINITY) {
                count++;
                sum += distance;
                squares += distance * distance;
            }
        }
        double mean = sum / count;
        return Math.sqrt(Math.max(squares / count - mean * mean, 0));
    }

    @Override
    public TopNSigma copy() {
        return this;
    }
}
