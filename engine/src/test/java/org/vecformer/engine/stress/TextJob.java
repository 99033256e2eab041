package org.vecformer.engine.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A prompt, and what is written behind it when nothing else runs.
 *
 * @param alone     the sequences
 * @param fullTexts theirs as they were before a stop text cut them: what a cancelled one begins like
 * @param plain     whether a scheduler takes it
 */
record TextJob(int[] prompt, GenerationOptions options, boolean plain, List<GeneratedSequence> alone,
        List<String> fullTexts) {

    static TextJob of(int[] prompt, GenerationOptions options, boolean plain, GenerationResult alone,
            Tokenizer tokenizer) {
        return new TextJob(prompt, options, plain, alone.sequences(),
                alone.sequences().stream().map(sequence -> tokenizer.decode(sequence.ids(), true)).toList());
    }

    /** Checks what was written, and tells how it ended: as the first of its sequences that was cut short. */
    Outcome check(GenerationResult result) {
        assertThat(result.promptIds()).isEqualTo(prompt);
        Outcome outcome = Outcome.FINISHED;
        boolean cut = result.sequences().stream().anyMatch(sequence -> isCut(sequence.finishReason()));
        if (!cut || plain) {
            assertThat(result.sequences()).hasSameSizeAs(alone);
            for (int i = 0; i < alone.size(); i++) {
                GeneratedSequence written = result.sequences().get(i);
                check(i, written.ids(), written.text(), written.finishReason());
                if (!isCut(written.finishReason())) {
                    assertThat(written.logprobs()).isEqualTo(alone.get(i).logprobs());
                    assertThat(written.score()).isEqualTo(alone.get(i).score());
                }
            }
        }
        for (GeneratedSequence sequence : result.sequences()) {
            outcome = switch (sequence.finishReason()) {
                case CANCELLED -> Outcome.CANCELLED;
                case TIME -> Outcome.LATE;
                default -> outcome;
            };
        }
        return outcome;
    }

    /** Checks a sequence: all of it if it ended by itself, else that it is the beginning. */
    void check(int sequence, int[] ids, String text, FinishReason reason) {
        GeneratedSequence expected = alone.get(sequence);
        if (isCut(reason)) {
            checkBeginning(sequence, ids, text);
        } else {
            assertThat(ids).isEqualTo(expected.ids());
            assertThat(text).isEqualTo(expected.text());
            assertThat(reason).isEqualTo(expected.finishReason());
        }
    }

    /** Checks that a sequence begins so. */
    void checkBeginning(int sequence, int[] ids, String text) {
        int[] whole = alone.get(sequence).ids();
        assertThat(Arrays.copyOf(whole, Math.min(ids.length, whole.length))).isEqualTo(ids);
        // Of a character whose last bytes are missing there is a mark in their place.
        assertThat(fullTexts.get(sequence)).startsWith(text.replaceFirst("\uFFFD+\\z", ""));
    }

    private static boolean isCut(FinishReason reason) {
        return reason == FinishReason.CANCELLED || reason == FinishReason.TIME;
    }
}
