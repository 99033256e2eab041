package org.vecformer.engine.generation;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What was generated.
 *
 * @param promptIds the prompt as the model saw it, after truncation
 * @param sequences the continuations: as many as were asked for; of beams the best first, and fewer if the search, being
 *                  constrained or interrupted, did not find so many
 * @param timing    where the time went; of prompts that were continued together, that of all of them
 */
public record GenerationResult(int[] promptIds, List<GeneratedSequence> sequences, Timing timing) {

    public GenerationResult {
        sequences = List.copyOf(sequences);
    }

    /** A result of one sequence. */
    public GenerationResult(int[] promptIds, int[] ids, String text, FinishReason finishReason, Timing timing) {
        this(promptIds, List.of(new GeneratedSequence(ids, text, finishReason, OptionalDouble.empty(), List.of())),
                timing);
    }

    /** The first sequence's tokens. */
    public int[] ids() {
        return sequences.get(0).ids();
    }

    /** The first sequence's text. */
    public String text() {
        return sequences.get(0).text();
    }

    /** Why the first sequence ended. */
    public FinishReason finishReason() {
        return sequences.get(0).finishReason();
    }
}
