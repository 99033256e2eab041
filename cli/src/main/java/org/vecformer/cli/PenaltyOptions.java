package org.vecformer.cli;

import org.vecformer.engine.sampler.Sampling;
import picocli.CommandLine.Option;

/** What keeps a text from repeating itself. */
@Section("Against repetition")
final class PenaltyOptions {
    @Option(names = "--repetition-penalty", paramLabel = "X", description = "make tokens of prompt and text less likely: above 1 (positive logits are divided by X, others multiplied)")
    Double repetitionPenalty;

    @Option(names = "--presence-penalty", paramLabel = "X", description = "subtract X from the logit of each token that was written already")
    Double presencePenalty;

    @Option(names = "--frequency-penalty", paramLabel = "X", description = "subtract X for each time that it was written")
    Double frequencyPenalty;

    @Option(names = "--penalty-window", paramLabel = "N", description = "for these two the last N tokens of prompt and text count (default: 0, all of the text and nothing of the prompt)")
    Integer penaltyWindow;

    @Option(names = "--no-repeat-ngram-size", paramLabel = "N", description = "no N tokens come twice in the same order; 0 for no such rule")
    Integer noRepeatNgramSize;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        Values.positive("--repetition-penalty", repetitionPenalty);
        Values.finite("--presence-penalty", presencePenalty);
        Values.finite("--frequency-penalty", frequencyPenalty);
        Values.atLeast(0, "--penalty-window", penaltyWindow);
        Values.needs("--penalty-window", penaltyWindow, "--presence-penalty or --frequency-penalty",
                presencePenalty == null ? frequencyPenalty : presencePenalty);
        Values.atLeast(0, "--no-repeat-ngram-size", noRepeatNgramSize);
    }

    Sampling apply(Sampling before) {
        Sampling sampling = repetitionPenalty == null ? before : before.repetitionPenalty(repetitionPenalty);
        if (presencePenalty != null || frequencyPenalty != null) {
            sampling = sampling.presenceFrequencyPenalty(presencePenalty == null ? 0 : presencePenalty,
                    frequencyPenalty == null ? 0 : frequencyPenalty, penaltyWindow == null ? 0 : penaltyWindow);
        }
        return noRepeatNgramSize == null ? sampling : sampling.noRepeatNgramSize(noRepeatNgramSize);
    }
}
