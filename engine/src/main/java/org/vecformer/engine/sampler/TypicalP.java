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
    /** Those among whom the edge is: where they are, how likely, and how far from the entropy. */
    private int[] indices = new int[0];
    private float[] masses = new float[0];
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
        double negligible = 0.999 * Math.min((1 - mass) / candidates.size(), StrictMath.exp(-2 * entropy));
        int count = measure(candidates, (float) negligible, logTotal, (float) entropy);
        if (count < minTokensToKeep) {
            count = measure(candidates, -1, logTotal, (float) entropy);
        }
        // The sum up to the edge is the first that is not below the mass.
        if (selection.find(distances, masses, count, Math.nextDown((float) mass))) {
            keep(candidates, count, selection.edge());
        }
    }

    /** How far the surprise of those likelier than this is from the entropy; their number. */
    private int measure(Candidates candidates, float negligible, double logTotal, float entropy) {
        int size = candidates.size();
        if (indices.length < size) {
            indices = new int[candidates.vocabularySize()];
            masses = new float[indices.length];
            distances = new float[indices.length];
        }
        float[] logits = candidates.logits();
        float[] probabilities = candidates.probabilities();
        int count = 0;
        for (int i = 0; i < size; i++) {
            if (probabilities[i] > negligible) {
                indices[count] = i;
                masses[count] = probabilities[i];
                float distance = Math.abs((float) (logTotal - logits[i]) - entropy);
                distances[count++] = Float.isNaN(distance) ? Float.POSITIVE_INFINITY : distance;
            }
        }
        return count;
    }

    /** Keeps those within the edge; if they are too few, also the nearest others, of equal ones the lowest ids. */
    private void keep(Candidates candidates, int count, float edge) {
        int missing = minTokensToKeep;
        for (int i = 0; i < count; i++) {
            if (distances[i] <= edge) {
                missing--;
            }
        }
        for (; missing > 0; missing--) {
            int nearest = -1;
            for (int i = 0; i < count; i++) {
                if (distances[i] > edge && (nearest < 0 || distances[i] < distances[nearest])) {
                    nearest = i;
                }
            }
            distances[nearest] = edge;
        }
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (distances[i] <= edge) {
                ids[kept] = ids[indices[i]];
                logits[kept] = logits[indices[i]];
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
