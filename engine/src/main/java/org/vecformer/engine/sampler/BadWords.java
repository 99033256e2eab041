package org.vecformer.engine.sampler;

import java.util.Arrays;
import java.util.List;

/**
 * Forbids the token that would complete one of these sequences. Equal to Hugging Face's
 * {@code NoBadWordsLogitsProcessor}: an end token is never a bad word of its own, and an empty sequence, which nothing
 * completes, forbids nothing.
 */
public final class BadWords extends HistorySampler {
    private final int[][] sequences;
    private final int largest;

    /**
     * @param sequences token ids
     * @param endTokens the sequences of just one of these are left out
     * @throws IllegalArgumentException if there is no sequence, or an id is negative
     */
    public BadWords(List<int[]> sequences, int... endTokens) {
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("The list of bad words is empty; it must have at least one");
        }
        this.sequences = Arrays.stream(Parameters.sequences("bad words", sequences))
                .filter(word -> word.length > 1
                        || word.length == 1 && Arrays.stream(endTokens).noneMatch(end -> end == word[0]))
                .toArray(int[][]::new);
        this.largest = Parameters.largest(this.sequences);
    }

    private BadWords(int[][] sequences, int largest) {
        this.sequences = sequences;
        this.largest = largest;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if a sequence has a token that the vocabulary does not have
     */
    @Override
    public void apply(Candidates candidates) {
        candidates.requireToken(largest, "list of bad words");
        for (int[] sequence : sequences) {
            if (history().endsWith(sequence, sequence.length - 1)) {
                candidates.forbid(sequence[sequence.length - 1]);
            }
        }
    }

    @Override
    public BadWords copy() {
        return remembering(new BadWords(sequences, largest));
    }
}
