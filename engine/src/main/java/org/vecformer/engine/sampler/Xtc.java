package org.vecformer.engine.sampler;

/**
 * "Exclude top choices": with the given probability, of the candidates that are at least as likely as the threshold all
 * go but the least likely one (of equal ones, that with the highest id). If fewer than two reach it, nothing happens.
 * So this is the one sampler that takes away what is best.
 * <p>
 * By p-e-w (text-generation-webui, pull request 6335), as in llama.cpp's {@code llama_sampler_xtc}. One random number is
 * drawn for each step, whatever the candidates, from the algorithm of {@link java.util.SplittableRandom} (SplitMix64);
 * its seed is derived from the sequence's, so that these numbers are others than those by which {@link Multinomial}
 * draws.
 */
public final class Xtc implements Sampler {
    private static final long STREAM = 1;

    private final double probability;
    private final float threshold;
    private final int minTokensToKeep;
    private final long seed;
    private final SplitMix64 random;

    /**
     * @param seed            the sequence's
     * @param minTokensToKeep where fewer would stay, nothing happens
     * @throws IllegalArgumentException if the probability is not in 0..1, the threshold not in 0..0.5 (two candidates
     *                                  cannot both be likelier than a half), or the number not positive
     */
    public Xtc(double probability, double threshold, int minTokensToKeep, long seed) {
        this(Parameters.probability("The XTC probability", probability), threshold(threshold),
                Parameters.minTokensToKeep(minTokensToKeep), seed, SplitMix64.derived(seed, STREAM));
    }

    private Xtc(double probability, float threshold, int minTokensToKeep, long seed, SplitMix64 random) {
        this.probability = probability;
        this.threshold = threshold;
        this.minTokensToKeep = minTokensToKeep;
        this.seed = seed;
        this.random = random;
    }

    private static float threshold(double threshold) {
        if (!(threshold >= 0 && threshold <= 0.5)) {
            throw new IllegalArgumentException("The XTC threshold is " + threshold
                    + "; it must be from 0 to 0.5, since two tokens cannot both be likelier than a half");
        }
        // What cannot come does not reach a threshold of 0 either.
        return Math.max((float) threshold, Float.MIN_VALUE);
    }

    @Override
    public void apply(Candidates candidates) {
        if (random.nextDouble() >= probability) {
            return;
        }
        candidates.softmax();
        float[] probabilities = candidates.probabilities();
        float[] logits = candidates.logits();
        int[] ids = candidates.ids();
        int size = candidates.size();
        int reaching = 0;
        int last = -1;
        for (int i = 0; i < size; i++) {
            if (probabilities[i] >= threshold) {
                reaching++;
                if (last < 0 || logits[i] < logits[last] || logits[i] == logits[last] && ids[i] > ids[last]) {
                    last = i;
                }
            }
        }
        if (reaching < 2 || size - (reaching - 1) < minTokensToKeep) {
            return;
        }
        // There are few to remove: what lies between them is moved up as a whole.
        int kept = 0;
        int from = 0;
        for (int i = 0; i <= size; i++) {
            if (i == size || probabilities[i] >= threshold && i != last) {
                System.arraycopy(ids, from, ids, kept, i - from);
                System.arraycopy(logits, from, logits, kept, i - from);
                kept += i - from;
                from = i + 1;
            }
        }
        candidates.truncate(kept);
    }

    @Override
    public void reset() {
        random.restart(SplitMix64.derivedSeed(seed, STREAM));
    }

    @Override
    public Xtc copy() {
        return new Xtc(probability, threshold, minTokensToKeep, seed, random.copy());
    }
}
