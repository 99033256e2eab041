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
    private int count;

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
        // The edge is looked for among those who are not unlikely, a small part of a vocabulary. It is the true one if all
        // the others are farther from the entropy (a little, so that no rounding matters); if not, among all.
        float unlikely = (float) (1e-3 * (1 - mass));
        measure(candidates, unlikely, logTotal, (float) entropy);
        if (find() && near() >= minTokensToKeep && selection.edge() < -StrictMath.log(unlikely) - entropy - 1e-3) {
            keep(candidates);
        } else {
            measure(candidates, -1, logTotal, (float) entropy);
            if (find()) {
                addNearest(minTokensToKeep - near());
                keep(candidates);
            }
        }
    }

    /** Takes down how far the surprise of those likelier than this is from the entropy. */
    private void measure(Candidates candidates, float unlikely, double logTotal, float entropy) {
        int size = candidates.size();
        if (indices.length < size) {
            indices = new int[candidates.vocabularySize()];
            masses = new float[indices.length];
            distances = new float[indices.length];
        }
        float[] logits = candidates.logits();
        float[] probabilities = candidates.probabilities();
        count = 0;
        for (int i = 0; i < size; i++) {
            if (probabilities[i] > unlikely) {
                indices[count] = i;
                masses[count] = probabilities[i];
                float distance = Math.abs((float) (logTotal - logits[i]) - entropy);
                distances[count++] = Float.isNaN(distance) ? Float.POSITIVE_INFINITY : distance;
            }
        }
    }

    /** The sum up to the edge is the first that is not below the mass. */
    private boolean find() {
        return selection.find(distances, masses, count, 0, Math.nextDown((float) mass));
    }

    /** How many are within the edge. */
    private int near() {
        int near = 0;
        for (int i = 0; i < count; i++) {
            if (distances[i] <= selection.edge()) {
                near++;
            }
        }
        return near;
    }

    /** Moves the nearest of those beyond the edge onto it, of equal ones the lowest ids. */
    private void addNearest(int missing) {
        float edge = selection.edge();
        for (int added = 0; added < missing; added++) {
            int nearest = -1;
            for (int i = 0; i < count; i++) {
                if (distances[i] > edge && (nearest < 0 || distances[i] < distances[nearest])) {
                    nearest = i;
                }
            }
            distances[nearest] = edge;
        }
    }

    private void keep(Candidates candidates) {
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        float edge = selection.edge();
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
