package org.vecformer.engine.sampler;

import java.util.Arrays;
import java.util.List;

/**
 * "Don't repeat yourself": subtracts from the logit of a token that would continue a repetition
 * <pre>multiplier * base ^ (length - allowed length)</pre>
 * where length, at least the allowed one, is how many tokens at the end of the text also stand, in this order, before
 * an earlier occurrence of that token; the longest counts. A repetition does not reach across a sequence breaker (as a
 * newline or a quotation mark), and a breaker of one token is never penalized itself.
 * <p>
 * By p-e-w (text-generation-webui, pull request 5677), as in llama.cpp's {@code llama_sampler_dry}, whose way to find
 * all lengths in linear time (the Z-algorithm on the reversed text) is used here too. Where breakers lie within one
 * another, the one that ends last counts.
 */
public final class Dry extends HistorySampler {
    private final float multiplier;
    private final double base;
    private final int allowedLength;
    private final int window;
    private final int[][] breakers;
    private final TokenCounts longest = new TokenCounts();
    /** By distance from the end: how many tokens before that place, the place included, are as at the end. */
    private int[] repeats = new int[0];

    /**
     * @param multiplier    of the penalty
     * @param base          by how much each further token multiplies it
     * @param allowedLength the length of a repetition that is penalized by just the multiplier; shorter ones are free
     * @param window        how many tokens at the end of prompt and continuation are looked at; 0: all
     * @param breakers      sequences of token ids
     * @throws IllegalArgumentException if the multiplier is not above 0, the base below 1, the allowed length not
     *                                  positive, the window negative, or a breaker empty or with a negative id
     */
    public Dry(double multiplier, double base, int allowedLength, int window, List<int[]> breakers) {
        this.multiplier = (float) Parameters.positive("DRY multiplier", multiplier);
        if (!(base >= 1) || Double.isInfinite(base)) {
            throw new IllegalArgumentException(
                    "The DRY base is " + base + "; it must be a finite number of at least 1");
        }
        this.base = base;
        this.allowedLength = Parameters.positive("DRY allowed length", allowedLength);
        this.window = Parameters.notNegative("DRY window", window);
        this.breakers = Parameters.sequences("DRY sequence breakers", breakers);
        for (int[] breaker : this.breakers) {
            if (breaker.length == 0) {
                throw new IllegalArgumentException("A DRY sequence breaker is empty; it must have a token");
            }
        }
    }

    private Dry(Dry other) {
        multiplier = other.multiplier;
        base = other.base;
        allowedLength = other.allowedLength;
        window = other.window;
        breakers = other.breakers;
    }

    @Override
    public void apply(Candidates candidates) {
        int length = window == 0 ? history().length() : Math.min(window, history().length());
        int reach = reach(length);
        if (reach < allowedLength) {
            return;
        }
        findRepeats(length);
        longest.clear();
        for (int distance = 1; distance < length; distance++) {
            int repeat = Math.min(repeats[distance], reach);
            if (repeat >= allowedLength) {
                longest.raise(fromEnd(distance - 1), repeat);
            }
        }
        float[] logits = candidates.logits();
        for (int slot = 0; slot < longest.slots(); slot++) {
            int token = longest.token(slot);
            int index = candidates.indexOf(token);
            if (index >= 0 && !isBreaker(token)) {
                double penalty = multiplier * Power.of(base, longest.count(slot) - allowedLength);
                logits[index] -= (float) Math.min(penalty, Float.MAX_VALUE);
            }
        }
    }

    /** How many tokens the text has behind the last breaker; all, if there is none. */
    private int reach(int length) {
        int reach = length;
        for (int[] breaker : breakers) {
            for (int behind = 0; behind < reach && behind + breaker.length <= length; behind++) {
                if (standsBefore(behind, breaker)) {
                    reach = behind;
                }
            }
        }
        return reach;
    }

    private boolean standsBefore(int behind, int[] breaker) {
        for (int i = 0; i < breaker.length; i++) {
            if (fromEnd(behind + breaker.length - 1 - i) != breaker[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean isBreaker(int token) {
        for (int[] breaker : breakers) {
            if (breaker.length == 1 && breaker[0] == token) {
                return true;
            }
        }
        return false;
    }

    /** The Z-algorithm on the reversed text (Gusfield, Algorithms on Strings, Trees, and Sequences, 1.4). */
    private void findRepeats(int length) {
        if (repeats.length < length) {
            repeats = Arrays.copyOf(repeats, Math.max(length, 2 * repeats.length));
        }
        int left = 0;
        int right = 0;
        for (int k = 1; k < length; k++) {
            int n = k < right ? Math.min(right - k, repeats[k - left]) : 0;
            while (k + n < length && fromEnd(n) == fromEnd(k + n)) {
                n++;
            }
            repeats[k] = n;
            if (k + n > right) {
                left = k;
                right = k + n;
            }
        }
    }

    /** The token at this distance from the last one. */
    private int fromEnd(int distance) {
        return history().get(history().length() - 1 - distance);
    }

    @Override
    public Dry copy() {
        return remembering(new Dry(this));
    }
}
