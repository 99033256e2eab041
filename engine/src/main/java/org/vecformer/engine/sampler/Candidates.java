package org.vecformer.engine.sampler;

import java.util.Arrays;
import java.util.Objects;

import org.vecformer.engine.kernel.ScalarMath;

/**
 * The tokens that may come next, with their logits: two parallel arrays of which the first {@link #size()} entries
 * count.
 * <p>
 * Allocated once for a vocabulary, then loaded for each step; no operation allocates, but the first sort. After loading
 * the set is <em>dense</em>: entry i is token i. Samplers work on the arrays themselves; who removes entries moves the
 * others up, keeping their order, and calls {@link #truncate}. For one thread at a time.
 */
public final class Candidates {
    /** Of the digits by which logits are selected. */
    static final int DIGIT_BITS = 11;
    static final int DIGITS = 1 << DIGIT_BITS;
    static final int FIRST_SHIFT = 32 - DIGIT_BITS;

    private final int[] ids;
    private final float[] logits;
    private final float[] probabilities;
    private final int[] histogram = new int[DIGITS];
    private int[] scratch;
    private long[] sortKeys;
    private int size;
    private boolean inIdOrder;
    private int selected = -1;
    /** Of the last softmax: the largest logit, and the logarithm of the sum of e^(logit - largest). */
    private float max;
    private double logSum;

    /**
     * An empty set.
     *
     * @param vocabularySize number of logits of a step
     * @throws IllegalArgumentException if that is not positive
     */
    public Candidates(int vocabularySize) {
        if (vocabularySize < 1) {
            throw new IllegalArgumentException("The vocabulary size is " + vocabularySize + "; it must be positive");
        }
        ids = new int[vocabularySize];
        logits = new float[vocabularySize];
        probabilities = new float[vocabularySize];
    }

    /** Number of tokens in the vocabulary. */
    public int vocabularySize() {
        return ids.length;
    }

    /**
     * Starts a step with a copy of these logits, one for each token of the vocabulary.
     *
     * @throws IllegalArgumentException if there are fewer or more
     */
    public void load(float[] source) {
        if (source.length != ids.length) {
            throw new IllegalArgumentException(
                    source.length + " logits were given for a vocabulary of " + ids.length + " tokens");
        }
        System.arraycopy(source, 0, logits, 0, source.length);
        fill();
    }

    /** Starts a step with the logits that the caller has written to the whole of {@link #logits()}, in order of id. */
    public void fill() {
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i;
        }
        size = ids.length;
        inIdOrder = true;
        selected = -1;
    }

    /**
     * Starts a step with some tokens, as if all others had been removed.
     *
     * @param someIds    different ones, in any order
     * @param someLogits theirs
     * @param count      so many of both; at least 1
     */
    public void load(int[] someIds, float[] someLogits, int count) {
        if (count < 1) {
            throw new IllegalArgumentException(count + " candidates were given; there must be at least one");
        }
        System.arraycopy(someIds, 0, ids, 0, count);
        System.arraycopy(someLogits, 0, logits, 0, count);
        size = count;
        inIdOrder = count == 1;
        selected = -1;
        sortById();
    }

    /** Number of candidates. */
    public int size() {
        return size;
    }

    /** The token ids: the array itself, of vocabulary length. */
    public int[] ids() {
        return ids;
    }

    /** The logits: the array itself, of vocabulary length. */
    public float[] logits() {
        return logits;
    }

    /** What the last {@link #softmax()} computed: the array itself, of vocabulary length. */
    public float[] probabilities() {
        return probabilities;
    }

    /** Whether the entry at each index is the token of that id, and all tokens are there. */
    public boolean isDense() {
        return inIdOrder && size == ids.length;
    }

    /** The index of a token, or -1 if it is not (or no more) a candidate. */
    public int indexOf(int id) {
        if (isDense()) {
            return id >= 0 && id < size ? id : -1;
        }
        if (inIdOrder) {
            return Math.max(Arrays.binarySearch(ids, 0, size, id), -1);
        }
        for (int i = 0; i < size; i++) {
            if (ids[i] == id) {
                return i;
            }
        }
        return -1;
    }

    /** A token that cannot come: its logit becomes negative infinity, if it is a candidate. */
    public void forbid(int id) {
        int index = indexOf(id);
        if (index >= 0) {
            logits[index] = Float.NEGATIVE_INFINITY;
        }
    }

    /** Forbids each of these tokens. */
    public void forbid(int[] tokens) {
        for (int id : tokens) {
            forbid(id);
        }
    }

    /**
     * Makes these tokens, be they candidates or not, the only ones that can come: their logits are 0 and all others
     * negative infinity. The set is dense after this, and a selection void.
     */
    void force(int[] tokens) {
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        fill();
        for (int id : tokens) {
            logits[id] = 0;
        }
    }

    /**
     * Checks that the vocabulary has this token.
     *
     * @param what names it
     * @throws IllegalArgumentException if not
     */
    void requireToken(int id, String what) {
        if (id >= ids.length) {
            throw new IllegalArgumentException("The " + what + " has token " + id + ", but the vocabulary has only "
                    + ids.length + " tokens, from 0 on");
        }
    }

    /**
     * Keeps only the first entries. A selection is void after this.
     *
     * @param newSize from 1 to {@link #size()}
     */
    public void truncate(int newSize) {
        if (newSize < 1 || newSize > size) {
            throw new IllegalArgumentException(
                    newSize + " candidates are to be kept of " + size + "; at least one must stay");
        }
        size = newSize;
        selected = -1;
    }

    /**
     * Removes candidates below the threshold; those equal to it stay, NaN goes. At least one candidate must reach it.
     */
    void keepFrom(float threshold) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            float logit = logits[i];
            if (logit >= threshold) {
                ids[kept] = ids[i];
                logits[kept] = logit;
                kept++;
            }
        }
        truncate(kept);
    }

    /** Where the largest logit is not finite: keeps positive infinity, if there is one, and else everything. */
    void keepInfinite() {
        if (largest() == Float.POSITIVE_INFINITY) {
            keepFrom(Float.POSITIVE_INFINITY);
        }
    }

    /**
     * Keeps the candidates that have at least this probability by the last {@link #softmax()}, and in any case the most
     * likely ones.
     *
     * @param least so many stay, if there are; of equal ones at that edge all
     */
    void keepLikely(float probability, int least) {
        if (least >= size) {
            return;
        }
        float floor = least == 1 ? max : kthLargest(least);
        int kept = 0;
        for (int i = 0; i < size; i++) {
            float logit = logits[i];
            if (probabilities[i] >= probability || logit >= floor) {
                ids[kept] = ids[i];
                logits[kept] = logit;
                kept++;
            }
        }
        // Without a number among the logits nothing was found; they stay then.
        truncate(kept > 0 ? kept : size);
    }

    /**
     * Removes the candidates that have at most this probability by the last {@link #softmax()}, if together they have at
     * most the given sum, and {@code least} others stay. The probabilities of these stay at their places.
     *
     * @return the sum of the probabilities removed
     */
    double removeUnlikely(float probability, double most, int least) {
        // Four sums, since one would make each addition wait for the one before.
        double sum0 = 0;
        double sum1 = 0;
        double sum2 = 0;
        double sum3 = 0;
        int i = 0;
        for (; i + 3 < size; i += 4) {
            sum0 += probabilities[i];
            sum1 += probabilities[i + 1];
            sum2 += probabilities[i + 2];
            sum3 += probabilities[i + 3];
        }
        for (; i < size; i++) {
            sum0 += probabilities[i];
        }
        double removed = sum0 + sum1 + (sum2 + sum3);
        int likely = 0;
        for (i = 0; i < size; i++) {
            if (probabilities[i] > probability) {
                removed -= probabilities[i];
                likely++;
            }
        }
        if (removed > most || likely < least) {
            return 0;
        }
        int kept = 0;
        for (i = 0; i < size; i++) {
            if (probabilities[i] > probability) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                probabilities[kept++] = probabilities[i];
            }
        }
        truncate(kept);
        return Math.max(removed, 0);
    }

    /**
     * Keeps the logits above the edge, and of those equal to it all but the first. At least one candidate must stay.
     *
     * @param skipped how many of the equal ones go, in the order of the entries
     */
    void keepFrom(float edge, int skipped) {
        int spare = skipped;
        int kept = 0;
        for (int i = 0; i < size; i++) {
            float logit = logits[i];
            if (logit >= edge && (logit > edge || spare-- <= 0)) {
                ids[kept] = ids[i];
                logits[kept] = logit;
                kept++;
            }
        }
        truncate(kept);
    }

    /** How many logits are not below this. */
    int countFrom(float threshold) {
        int count = 0;
        for (int i = 0; i < size; i++) {
            if (logits[i] >= threshold) {
                count++;
            }
        }
        return count;
    }

    /** The largest logit; NaN if there is no number. */
    float largest() {
        float largest = Float.NaN;
        for (int i = 0; i < size; i++) {
            // False for NaN on the right, true for NaN on the left.
            if (!(logits[i] <= largest) && logits[i] == logits[i]) {
                largest = logits[i];
            }
        }
        return largest;
    }

    /**
     * The k-th largest logit, equal ones counted as often as they come; the smallest if there are fewer than k.
     * <p>
     * A radix selection: three passes at most, each counting one digit of the ordered bit pattern, whatever the data.
     *
     * @throws IllegalArgumentException if k is not positive
     */
    public float kthLargest(int k) {
        if (k < 1) {
            throw new IllegalArgumentException("k is " + k + "; it must be positive");
        }
        if (k == 1) {
            return largest() + 0f;
        }
        int rank = Math.min(k, size);
        Arrays.fill(histogram, 0);
        for (int i = 0; i < size; i++) {
            histogram[key(logits[i]) >>> FIRST_SHIFT]++;
        }
        int digit = DIGITS - 1;
        while (histogram[digit] < rank) {
            rank -= histogram[digit--];
        }
        if (digit == 0) {
            return Float.NaN;
        }
        // Only those with this first digit are looked at from here on.
        float least = leastWith(digit);
        float most = mostWith(digit);
        int[] keys = scratch();
        int count = 0;
        for (int i = 0; i < size; i++) {
            float logit = logits[i];
            if (logit >= least && logit <= most) {
                keys[count++] = key(logit);
            }
        }
        int prefix = digit << FIRST_SHIFT;
        int mask = -1 << FIRST_SHIFT;
        for (int shift = FIRST_SHIFT - DIGIT_BITS; mask != -1; shift = 0) {
            Arrays.fill(histogram, 0);
            for (int i = 0; i < count; i++) {
                if ((keys[i] & mask) == prefix) {
                    histogram[keys[i] >>> shift & DIGITS - 1]++;
                }
            }
            digit = DIGITS - 1;
            while (histogram[digit] < rank) {
                rank -= histogram[digit--];
            }
            prefix |= digit << shift;
            mask = -1 << shift;
        }
        return valueOf(prefix);
    }

    /**
     * Finds the best candidates without sorting all: writes their indices to the front of {@code indices}, by
     * descending logit, equal ones by ascending id. Brings the set into id order if it is not.
     *
     * @param k       how many; positive
     * @param indices receives them; not shorter than the smaller of k and {@link #size()}
     * @return how many were written: the smaller of k and {@link #size()}
     */
    public int best(int k, int[] indices) {
        sortById();
        float threshold = kthLargest(k);
        int thresholdKey = key(threshold);
        int count = Math.min(k, size);
        long[] keys = sortKeys();
        int found = 0;
        for (int i = 0; i < size; i++) {
            // If the k-th best is NaN, so is nothing that is better.
            if (logits[i] > threshold || threshold != threshold && logits[i] == logits[i]) {
                keys[found++] = descendingKey(logits[i], i);
            }
        }
        for (int i = 0; found < count; i++) {
            if (key(logits[i]) == thresholdKey) {
                keys[found++] = descendingKey(logits[i], i);
            }
        }
        sort(keys, count);
        for (int i = 0; i < count; i++) {
            indices[i] = (int) keys[i];
        }
        return count;
    }

    /** Sorts all candidates by descending logit, equal ones by ascending id. A selection is void after this. */
    public void sortByLogit() {
        long[] keys = sortKeys();
        for (int i = 0; i < size; i++) {
            keys[i] = descendingKey(logits[i], ids[i]);
        }
        Arrays.sort(keys, 0, size);
        for (int i = 0; i < size; i++) {
            ids[i] = (int) keys[i];
            logits[i] = valueOf(~(int) (keys[i] >>> 32) ^ 0x80000000);
        }
        inIdOrder = false;
        selected = -1;
    }

    /** Sorts all candidates by ascending id, if they are not; then a selection is void. */
    public void sortById() {
        if (inIdOrder) {
            return;
        }
        long[] keys = sortKeys();
        for (int i = 0; i < size; i++) {
            keys[i] = (long) ids[i] << 32 | Float.floatToRawIntBits(logits[i]) & 0xffffffffL;
        }
        Arrays.sort(keys, 0, size);
        for (int i = 0; i < size; i++) {
            ids[i] = (int) (keys[i] >>> 32);
            logits[i] = Float.intBitsToFloat((int) keys[i]);
        }
        inIdOrder = true;
        selected = -1;
    }

    /**
     * Computes {@link #probabilities()}, parallel to the logits: e^(logit - largest) divided by the sum of these, which
     * is accumulated in double in the order of the entries. Infinite logits share everything; if no logit is above
     * negative infinity all probabilities are 0.
     */
    public void softmax() {
        max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            // A comparison, not Math.max: NaN must not win.
            if (logits[i] > max) {
                max = logits[i];
            }
        }
        double sum = Float.isInfinite(max) ? Double.NaN : exponentials();
        if (Double.isNaN(sum)) {
            sum = weights();
        }
        logSum = StrictMath.log(sum);
        if (sum > 0) {
            double scale = 1 / sum;
            for (int i = 0; i < size; i++) {
                probabilities[i] = (float) (probabilities[i] * scale);
            }
        }
    }

    /**
     * By the last {@link #softmax()}: the logarithm of the sum of e^logit. A logit minus this is the logarithm of its
     * probability.
     */
    double logTotal() {
        return max + logSum;
    }

    /** By the last {@link #softmax()}, before anything was removed: the entropy of the distribution, in nats. */
    double entropy() {
        if (Float.isInfinite(max)) {
            // The infinite logits share everything; if there is none, nothing is shared.
            return Math.max(logSum, 0);
        }
        // Four sums, since one would make each addition wait for the one before.
        double sum0 = 0;
        double sum1 = 0;
        double sum2 = 0;
        double sum3 = 0;
        int i = 0;
        for (; i + 3 < size; i += 4) {
            sum0 += surprise(i);
            sum1 += surprise(i + 1);
            sum2 += surprise(i + 2);
            sum3 += surprise(i + 3);
        }
        for (; i < size; i++) {
            sum0 += surprise(i);
        }
        return logSum + (sum0 + sum1) + (sum2 + sum3);
    }

    /** The part of a candidate in the entropy, but for the common term. */
    private double surprise(int i) {
        return probabilities[i] > 0 ? probabilities[i] * (max - logits[i]) : 0;
    }

    /** Writes e^(logit - largest) for ordinary logits; the sum is NaN if one of them is. */
    private double exponentials() {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            float weight = ScalarMath.exp(logits[i] - max);
            probabilities[i] = weight;
            sum += weight;
        }
        return sum;
    }

    /** The same with NaN and infinities among them. */
    private double weights() {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            float weight = weight(logits[i], max);
            probabilities[i] = weight;
            sum += weight;
        }
        return sum;
    }

    private static float weight(float logit, float max) {
        if (logit == max) {
            return max == Float.NEGATIVE_INFINITY ? 0f : 1f;
        }
        return logit < max ? ScalarMath.exp(logit - max) : 0f;
    }

    /**
     * Selects the candidate at this index.
     *
     * @throws IndexOutOfBoundsException if there is none
     */
    public void select(int index) {
        selected = Objects.checkIndex(index, size);
    }

    /** The index of the selected candidate, or -1. */
    public int selected() {
        return selected;
    }

    /**
     * The id of the selected candidate.
     *
     * @throws IllegalStateException if none was selected (the chain ended without a sampler that selects)
     */
    public int selectedToken() {
        if (selected < 0) {
            throw new IllegalStateException(
                    "No candidate is selected; a chain must end with a sampler that selects, as Greedy or Multinomial");
        }
        return ids[selected];
    }

    /** A bit pattern whose unsigned order is that of the logits; both zeros are equal, NaN comes first. */
    static int key(float logit) {
        if (logit != logit) {
            return 0;
        }
        int bits = Float.floatToRawIntBits(logit + 0f);
        return bits ^ (bits >> 31 | 0x80000000);
    }

    /** The logit of a {@link #key}. */
    static float valueOf(int key) {
        return key == 0 ? Float.NaN : Float.intBitsToFloat(key < 0 ? key ^ 0x80000000 : ~key);
    }

    /** The least number whose key begins with this digit, which is not 0. */
    static float leastWith(int digit) {
        float value = valueOf(digit << FIRST_SHIFT);
        // Beyond the infinities there are only patterns of NaN.
        return Float.isNaN(value) ? Float.NEGATIVE_INFINITY : value;
    }

    /** The largest number whose key begins with this digit, which is not 0. */
    static float mostWith(int digit) {
        float value = valueOf((digit << FIRST_SHIFT) + (1 << FIRST_SHIFT) - 1);
        return Float.isNaN(value) ? Float.POSITIVE_INFINITY : value;
    }

    /** In ascending (signed) order: larger logits first, then smaller numbers. */
    private static long descendingKey(float logit, int number) {
        return (long) (~key(logit) ^ 0x80000000) << 32 | number;
    }

    /** Sorts without an allocation, which {@link Arrays#sort(long[], int, int)} makes to part more than some forty. */
    private static void sort(long[] keys, int count) {
        if (count > 150) {
            Arrays.sort(keys, 0, count);
            return;
        }
        for (int i = 1; i < count; i++) {
            long key = keys[i];
            int j = i;
            for (; j > 0 && keys[j - 1] > key; j--) {
                keys[j] = keys[j - 1];
            }
            keys[j] = key;
        }
    }

    private int[] scratch() {
        if (scratch == null) {
            scratch = new int[ids.length];
        }
        return scratch;
    }

    private long[] sortKeys() {
        if (sortKeys == null) {
            sortKeys = new long[ids.length];
        }
        return sortKeys;
    }
}
