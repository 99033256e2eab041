package org.vecformer.engine.sampler;

/**
 * Nucleus sampling: keeps the smallest set of most likely candidates whose probabilities sum to p or more.
 * <p>
 * Equal to Hugging Face's {@code TopPLogitsWarper}: in ascending order of (logit, id), candidates go as long as the sum
 * of probabilities up to and including theirs is at most 1 - p (compared in float32); so of equal logits at the edge
 * the higher ids stay. (Holtzman et al. 2019, arXiv 1904.09751.)
 * <p>
 * The edge is found without sorting ({@link MassSelection}).
 */
public final class TopP implements Sampler {
    private final double p;
    private final float removable;
    private final int minTokensToKeep;
    private final MassSelection selection = new MassSelection();

    /**
     * @throws IllegalArgumentException if p is not in 0..1
     */
    public TopP(double p) {
        this(p, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, the most likely ones
     * @throws IllegalArgumentException if p is not in 0..1, or the number not positive
     */
    public TopP(double p, int minTokensToKeep) {
        this.p = Parameters.probability("top-p", p);
        this.removable = (float) (1 - p);
        this.minTokensToKeep = Parameters.minTokensToKeep(minTokensToKeep);
    }

    @Override
    public void apply(Candidates candidates) {
        if (minTokensToKeep >= candidates.size()) {
            return;
        }
        candidates.sortById();
        candidates.softmax();
        // The unlikely ones, most of a vocabulary, may all go together, or nothing is said of them.
        double removed = candidates.removeUnlikely((float) (1e-3 * (1 - p)), 0.999 * (1 - p), minTokensToKeep);
        boolean found = selection.find(candidates.logits(), candidates.probabilities(), candidates.size(), removed,
                removable);
        float edge = selection.edge();
        int skipped = selection.skipped();
        // Those that stay in any case are, like the others, the last ones in the order: there are more of these or of
        // those.
        if (!found || minTokensToKeep > 1 && candidates.countFrom(edge) - skipped < minTokensToKeep) {
            edge = candidates.kthLargest(minTokensToKeep);
            skipped = candidates.countFrom(edge) - minTokensToKeep;
        }
        if (!Float.isNaN(edge)) {
            candidates.keepFrom(edge, skipped);
        }
    }

    @Override
    public TopP copy() {
        return new TopP(p, minTokensToKeep);
    }
}
