package org.vecformer.engine.sampler;

/**
 * Locally typical sampling: keeps the candidates whose surprise -log p is closest to the entropy of the distribution,
 * as few as have together at least the given mass. The most likely candidate may go.
 * <p>
 * Equal to Hugging Face's {@code TypicalLogitsWarper}: all that are as far from the entropy as the last one stay too.
 * (Meister, Pimentel, Wiher and Cotterell 2022, arXiv 2202.00666.) Found without sorting ({@link MassSelection}).
 */
public final class TypicalP implements Sampler {
    private final double mass;
    private final int minTokensToKeep;
    private final MassSelection selection = new MassSelection();
    private float[] distances = new float[0];

    /**
     * @throws IllegalArgumentException if the mass is not between 0 and 1
     */
    public TypicalP(double mass) {
        this(mass, 1);
    }

    /**
     * @param minTokensToKeep at least so many stay, the most typical ones
     * @throws IllegalArgumentException if the mass is not between 0 and 1, or the number not positive
     */
    public TypicalP(double mass, int minTokensToKeep) {
        this.mass = Parameters.properFraction("typical-p", mass);
        this.minTokensToKeep = Parameters.minTokensToKeep(minTokensToKeep);
    }

    @Override
    public void apply(Candidates candidates) {
        if (minTokensToKeep >= candidates.size()) {
            return;
        }
        candidates.sortById();
        candidates.softmax();
        double logTotal = candidates.logTotal();
        if (!Double.isFinite(logTotal)) {
            candidates.keepInfinite();
            return;
        }
        double entropy = candidates.entropy();
        // Whose surprise is more than twice the entropy is farther from it than anybody likelier; and so unlikely that
        // all of the kind together may go, they are not needed. That is most of a vocabulary. (A little less of each,
        // so that rounding carries nobody over the edge.)
        double negligible = Math.min((1 - mass) / candidates.size(), Math.exp(-2 * entropy));
        candidates.removeUnlikely((float) (0.999 * negligible), minTokensToKeep);

        int size = candidates.size();
        measure(candidates, logTotal, (float) entropy);
        // The sum up to the edge is the first that is not below the mass.
        boolean found = selection.find(distances, candidates.probabilities(), size, 0, Math.nextDown((float) mass));
        if (!found) {
            return;
        }
        int edge = selection.edge();
        int near = 0;
        for (int i = 0; i < size; i++) {
            if (Integer.compareUnsigned(Candidates.key(distances[i]), edge) <= 0) {
                near++;
            }
        }
        keep(candidates, edge, minTokensToKeep - near);
    }

    /** How far each surprise is from the entropy; infinitely, for those that cannot come. */
    private void measure(Candidates candidates, double logTotal, float entropy) {
        if (distances.length < candidates.size()) {
            distances = new float[candidates.vocabularySize()];
        }
        float[] logits = candidates.logits();
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            float distance = Math.abs((float) (logTotal - logits[i]) - entropy);
            distances[i] = Float.isNaN(distance) ? Float.POSITIVE_INFINITY : distance;
        }
    }

    /** Keeps those within the edge, and so many more: the nearest ones, of equal ones those with the lowest ids. */
    private void keep(Candidates candidates, int edge, int more) {
        int size = candidates.size();
        for (int missing = more; missing > 0; missing--) {
            int nearest = -1;
            for (int i = 0; i < size; i++) {
                if (Integer.compareUnsigned(Candidates.key(distances[i]), edge) > 0
                        && (nearest < 0 || distances[i] < distances[nearest])) {
                    nearest = i;
                }
            }
            distances[nearest] = 0;
        }
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (Integer.compareUnsigned(Candidates.key(distances[i]), edge) <= 0) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                kept++;
            }
        }
        candidates.truncate(kept);
    }

    @Override
    public TypicalP copy() {
        return new TypicalP(mass, minTokensToKeep);
    }
}
