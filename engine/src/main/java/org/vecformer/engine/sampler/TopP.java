package org.vecformer.engine.sampler;

import java.util.Arrays;

/**
 * Nucleus sampling: keeps the smallest set of most likely candidates whose probabilities sum to p or more.
 * <p>
 * Equal to Hugging Face's {@code TopPLogitsWarper}: in ascending order of (logit, id), candidates go as long as the sum
 * of probabilities up to and including theirs is at most 1 - p (compared in float32); so of equal logits at the edge
 * the higher ids stay. (Holtzman et al. 2019, arXiv 1904.09751.)
 * <p>
 * The edge is found without sorting, by a radix selection that sums probabilities where an ordinary one counts: three
 * passes at most.
 */
public final class TopP implements Sampler {
    private static final int DIGIT_BITS = 11;
    private static final int DIGITS = 1 << DIGIT_BITS;

    private final double p;
    private final float removable;
    private final int minTokensToKeep;
    private final double[] mass = new double[DIGITS];

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
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException("top-p is " + p + "; it must be from 0 to 1");
        }
        if (minTokensToKeep < 1) {
            throw new IllegalArgumentException(
                    "The least number of tokens to keep is " + minTokensToKeep + "; it must be positive");
        }
        this.p = p;
        this.removable = (float) (1 - p);
        this.minTokensToKeep = minTokensToKeep;
    }

    @Override
    public void apply(Candidates candidates) {
        if (minTokensToKeep >= candidates.size()) {
            return;
        }
        candidates.sortById();
        candidates.softmax();
        double below = removeNegligible(candidates);
        int size = candidates.size();
        float[] logits = candidates.logits();
        float[] probabilities = candidates.probabilities();

        // The first key at which the sum exceeds what may go, and the sum below that key.
        int edge = 0;
        int mask = 0;
        boolean found = true;
        for (int shift = 32 - DIGIT_BITS; found && mask != -1; shift = Math.max(shift - DIGIT_BITS, 0)) {
            Arrays.fill(mass, 0);
            for (int i = 0; i < size; i++) {
                int key = Candidates.key(logits[i]);
                if ((key & mask) == edge) {
                    mass[key >>> shift & DIGITS - 1] += probabilities[i];
                }
            }
            int digit = 0;
            while (digit < DIGITS && (float) (below + mass[digit]) <= removable) {
                below += mass[digit++];
            }
            if (digit < DIGITS) {
                edge |= digit << shift;
            } else if (mask == 0) {
                found = false;
            } else {
                // Summed one by one, the digits round to a little less than their bucket did: all of it goes.
                edge |= ~mask;
                break;
            }
            mask = -1 << shift;
        }

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

    /**
     * Removes what is so unlikely that all of its kind together may go, which is most of a vocabulary, and makes the
     * rest of the work cheap.
     *
     * @return the sum of the probabilities removed
     */
    private double removeNegligible(Candidates candidates) {
        int size = candidates.size();
        int[] ids = candidates.ids();
        float[] logits = candidates.logits();
        float[] probabilities = candidates.probabilities();
        // A little less than the equal share, so that rounding of the sum cannot carry it over the edge.
        float negligible = (float) (0.999 * (1 - p) / size);
        int remaining = 0;
        for (int i = 0; i < size; i++) {
            if (probabilities[i] > negligible) {
                remaining++;
            }
        }
        if (remaining < minTokensToKeep) {
            return 0;
        }
        double removed = 0;
        int kept = 0;
        for (int i = 0; i < size; i++) {
            float probability = probabilities[i];
            if (probability > negligible) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                probabilities[kept] = probability;
                kept++;
            } else {
                removed += probability;
            }
        }
        candidates.truncate(kept);
        return removed;
    }

    @Override
    public TopP copy() {
        return new TopP(p, minTokensToKeep);
    }
}
