package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.sampler.Sampling;
import picocli.CommandLine.Option;

/** The DRY penalty, by llama.cpp's names. */
@Section("Against long repetitions (DRY)")
final class DryOptions {
    private static final double DEFAULT_BASE = 1.75;
    private static final int DEFAULT_ALLOWED_LENGTH = 2;
    private static final int WHOLE_TEXT = -1;
    private static final List<String> DEFAULT_BREAKERS = List.of("\n", ":", "\"", "*");

    @Option(names = "--dry-multiplier", paramLabel = "X", description = "subtract X x BASE^(length - N) from the logit of a token that would go on repeating a passage; 0 for no such rule")
    Double multiplier;

    @Option(names = "--dry-base", paramLabel = "BASE", description = "(default: " + DEFAULT_BASE + ")")
    Double base;

    @Option(names = "--dry-allowed-length", paramLabel = "N", description = "repetitions shorter than N tokens are free (default: "
            + DEFAULT_ALLOWED_LENGTH + ")")
    Integer allowedLength;

    @Option(names = "--dry-penalty-last-n", paramLabel = "N", description = "look at the last N tokens; -1 for prompt and text (the default)")
    Integer lastN;

    @Option(names = "--dry-sequence-breaker", paramLabel = "TEXT", description = "a repetition does not reach across this text; \\n is a line break; several times for several; none for none (default: line break, colon, quotation mark, asterisk)")
    List<String> breakers;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        Values.check("--dry-multiplier", multiplier, multiplier != null && (multiplier == 0
                || Values.isPositive(multiplier)), "0 (none) or more");
        Values.check("--dry-base", base, base != null && base >= 1 && base < Double.POSITIVE_INFINITY, "1 or more");
        Values.atLeast(1, "--dry-allowed-length", allowedLength);
        Values.check("--dry-penalty-last-n", lastN, lastN != null && (lastN == WHOLE_TEXT || lastN > 0),
                "1 or more, or -1 for prompt and text");
        Values.needs("--dry-base", base, "--dry-multiplier", multiplier);
        Values.needs("--dry-allowed-length", allowedLength, "--dry-multiplier", multiplier);
        Values.needs("--dry-penalty-last-n", lastN, "--dry-multiplier", multiplier);
        Values.needs("--dry-sequence-breaker", breakers, "--dry-multiplier", multiplier);
        if (breakers != null && breakers.contains("")) {
            throw new UsageException("--dry-sequence-breaker is empty; expected a text, or none");
        }
    }

    /** @throws CommandException if breakers were named and the model has no tokenizer */
    Sampling apply(Sampling sampling, LoadedGpt model) throws CommandException {
        if (multiplier == null) {
            return sampling;
        }
        List<int[]> sequences = new ArrayList<>();
        if (breakers != null || model.tokenizer() != null) {
            for (String breaker : breakers == null ? DEFAULT_BREAKERS : breakers) {
                if (!breaker.equals("none")) {
                    sequences.addAll(InnerText.spellings(model.requiredTokenizer(), Values.unescaped(breaker)));
                }
            }
        }
        return sampling.dry(multiplier, base == null ? DEFAULT_BASE : base,
                allowedLength == null ? DEFAULT_ALLOWED_LENGTH : allowedLength,
                lastN == null || lastN == WHOLE_TEXT ? 0 : lastN, sequences);
    }
}
