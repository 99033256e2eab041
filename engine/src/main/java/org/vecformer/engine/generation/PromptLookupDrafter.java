package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.Sampler;

/** Guesses what followed when the last tokens stood in the text before: the last time they did, as many of them as possible. */
final class PromptLookupDrafter implements Drafter {

    private final int maxNgram;

    PromptLookupDrafter(int maxNgram) {
        this.maxNgram = maxNgram;
    }

    @Override
    public int draft(Context context, Sampler sampler, int[] guesses, int most) {
        int[] ids = context.ids();
        int length = context.length();
        for (int ngram = Math.min(maxNgram, length - 1); ngram > 0; ngram--) {
            for (int start = length - ngram - 1; start >= 0; start--) {
                if (matches(ids, start, length - ngram, ngram)) {
                    int from = start + ngram;
                    int count = Math.min(most, length - from);
                    System.arraycopy(ids, from, guesses, 0, count);
                    return count;
                }
            }
        }
        return 0;
    }

    private static boolean matches(int[] ids, int a, int b, int count) {
        for (int i = 0; i < count; i++) {
            if (ids[a + i] != ids[b + i]) {
                return false;
            }
        }
        return true;
    }
}
