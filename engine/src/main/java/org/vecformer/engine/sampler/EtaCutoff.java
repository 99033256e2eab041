package org.vecformer.engine.sampler;

/**
 * Keeps the candidates whose probability is at least min(epsilon, sqrt(epsilon) e^-H), where H is the entropy of the
 * distribution in nats; if there is none, the most likely one. Equal to Hugging Face's {@code EtaLogitsWarper}. (Hewitt,
 * Manning and Liang 2022, arXiv 2210.15191.)
 */
public final class EtaCutoff implements Sampler {
    private final float epsilon;
    private final int minTokensToKeep;

    /**
     * @throws IllegalArgumentException if epsilon is not between 0 and 1
     */
    public EtaCutoff(double epsilon) {
        this(epsilon, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, the most likely ones; equal ones at that edge all do
     * @throws IllegalArgumentException if epsilon is not between 0 and 1, or the number not positive
     */
    public EtaCutoff(double epsilon, int minTokensToKeep) {
        this.epsilon = (float) Parameters.properFraction("The eta cutoff", epsilon);
        this.minTokensToKeep = Parameters.minTokensToKeep(minTokensToKeep);
    }

    @Override
    public void apply(Candidates candidates) {
        candidates.softmax();
        double eta = Math.min(epsilon, Math.sqrt(epsilon) * StrictMath.exp(-candidates.entropy()));
        candidates.keepLikely((float) eta, minTokensToKeep);
    }

    @Override
    public EtaCutoff copy() {
        return this;
    }
}
