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
        // Who is so unlikely that all of the kind together may go; that is most of a vocabulary. A little less than the
        // equal share, so that rounding of the sum cannot carry it over the edge.
        float negligible = (float) (0.999 * (1 - p) / candidates.size());
        double removed = candidates.removeUnlikely(negligible, minTokensToKeep);
        int size = candidates.size();
        float[] logits = candidates.logits();
        float[] probabilities = candidates.probabilities();
        boolean found = selection.find(logits, probabilities, size, removed, removable);
        int edge = selection.edge();
        double below = selection.below();

        // Those that stay in any case: the highest keys, of equal ones the highest ids.
        int floor = Candidates.key(candidates.kthLargest(minTokensToKeep));
        int floorTies = minTokensToKeep;
        int tiesAtFloor = 0;
        for (int i = 0; i < size; i++) {
            int compared = Integer.compareUnsigned(Candidates.key(logits[i]), floor);
            if (compared > 0) {
                floorTies--;
            } else if (compared == 0) {
                tiesAtFloor++;
            }
        }

        int[] ids = candidates.ids();
        int kept = 0;
        for (int i = 0; i < size; i++) {
            int key = Candidates.key(logits[i]);
            boolean stays = false;
            if (found) {
                int compared = Integer.compareUnsigned(key, edge);
                if (compared == 0) {
                    below += probabilities[i];
                    stays = (float) below > removable;
                } else {
                    stays = compared > 0;
                }
            }
            int compared = Integer.compareUnsigned(key, floor);
            if (compared > 0) {
                stays = true;
            } else if (compared == 0) {
                stays |= tiesAtFloor <= floorTies;
                tiesAtFloor--;
            }
            if (stays) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                kept++;
            }
        }
        candidates.truncate(kept);
    }

    @Override
    public TopP copy() {
        return new TopP(p, minTokensToKeep);
    }
}
