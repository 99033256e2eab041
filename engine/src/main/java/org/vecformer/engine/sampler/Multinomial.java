package org.vecformer.engine.sampler;

/**
 * Selects a candidate at random, each with the probability that the softmax of the logits gives it.
 * <p>
 * One random number u in [0, 1) is drawn for each step, whatever the candidates, from the algorithm of
 * {@link java.util.SplittableRandom} (SplitMix64) with the given seed. Selected is the first candidate in order of id
 * at which the sum of probabilities (float32, added in double) exceeds u times their total. So the same seed gives the
 * same tokens on every machine, and the choice does not depend on the order in which earlier samplers left the
 * candidates.
 */
public final class Multinomial implements Sampler {
    private final long seed;
    private final SplitMix64 random;

    /** Any seed is as good as another. */
    public Multinomial(long seed) {
        this(seed, new SplitMix64(seed));
    }

    private Multinomial(long seed, SplitMix64 random) {
        this.seed = seed;
        this.random = random;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if no candidate has a logit above negative infinity
     */
    @Override
    public void apply(Candidates candidates) {
        double u = random.nextDouble();
        candidates.sortById();
        candidates.softmax();
        float[] probabilities = candidates.probabilities();
        int size = candidates.size();
        double total = 0;
        for (int i = 0; i < size; i++) {
            total += probabilities[i];
        }
        if (!(total > 0)) {
            throw new IllegalStateException(
                    "None of the " + size + " candidates has a logit above negative infinity, so none can be drawn");
        }
        double target = u * total;
        double sum = 0;
        int last = 0;
        for (int i = 0; i < size; i++) {
            if (probabilities[i] > 0) {
                last = i;
                sum += probabilities[i];
                if (sum > target) {
                    break;
                }
            }
        }
        candidates.select(last);
    }

    @Override
    public void reset() {
        random.restart(seed);
    }

    @Override
    public Multinomial copy() {
        return new Multinomial(seed, random.copy());
    }
}
