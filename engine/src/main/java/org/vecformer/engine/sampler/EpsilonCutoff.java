package org.vecformer.engine.sampler;

/**
 * Keeps the candidates whose probability is at least epsilon; if there is none, the most likely one. Equal to Hugging
 * Face's {@code EpsilonLogitsWarper}. (Hewitt, Manning and Liang 2022, arXiv 2210.15191.)
 */
public final class EpsilonCutoff implements Sampler {
    private final float epsilon;
    private final int minTokensToKeep;

    /**
     * @throws IllegalArgumentException if epsilon is not between 0 and 1
     */
    public EpsilonCutoff(double epsilon) {
        this(epsilon, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, the most likely ones; equal ones at that edge all do
     * @throws IllegalArgumentException if epsilon is not between 0 and 1, or the number not positive
     */
    public EpsilonCutoff(double epsilon, int minTokensToKeep) {
        this.epsilon = (float) Parameters.properFraction("The epsilon cutoff", epsilon);
        this.minTokensToKeep = Parameters.minTokensToKeep(minTokensToKeep);
    }

    @Override
    public void apply(Candidates candidates) {
        candidates.softmax();
        candidates.keepLikely(epsilon, minTokensToKeep);
    }

    @Override
    public EpsilonCutoff copy() {
        return this;
    }
}
