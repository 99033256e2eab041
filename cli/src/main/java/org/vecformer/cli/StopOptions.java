package org.vecformer.cli;

import java.time.Duration;
import java.util.List;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.Stopping;
import org.vecformer.engine.sampler.Sampling;
import picocli.CommandLine.Option;

/** Where a continuation ends. */
@Section("Where the text ends")
final class StopOptions {
    /** Enough for a story; a model that has no end token would fill its whole context. */
    private static final int DEFAULT_NEW_TOKENS = 200;
    private static final double MOST_SECONDS = 1e9;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "write at most so many tokens (default: the model's, else "
            + DEFAULT_NEW_TOKENS + ")")
    Integer maxNewTokens;

    @Option(names = "--max-length", paramLabel = "N", description = "at most so many tokens of prompt and continuation together")
    Integer maxLength;

    @Option(names = "--min-new-tokens", paramLabel = "N", description = "no end token before so many tokens are written")
    Integer minNewTokens;

    @Option(names = "--min-length", paramLabel = "N", description = "no end token before prompt and continuation have so many tokens together")
    Integer minLength;

    @Option(names = "--stop", paramLabel = "TEXT", description = "end at this text, which is not written; \\n and \\t are a line break and a tab, \\\\ a backslash; several times for several texts")
    List<String> stop;

    @Option(names = "--include-stop", description = "write the --stop text, too")
    boolean includeStop;

    @Option(names = "--ignore-eos", description = "write on behind the end token")
    boolean ignoreEos;

    @Option(names = "--exponential-decay-length-penalty", paramLabel = "START,FACTOR", description = "from START new tokens on, make the end token likelier with each token, by this factor")
    String decay;

    @Option(names = "--max-time", paramLabel = "SECONDS", description = "end after so many seconds with what is there")
    Double maxTime;

    private int decayStart;
    private double decayFactor;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (maxNewTokens != null && maxLength != null) {
            throw new UsageException("--max-new-tokens and --max-length say the same in two ways; give one of them");
        }
        Values.atLeast(0, "--max-new-tokens", maxNewTokens);
        Values.atLeast(1, "--max-length", maxLength);
        Values.atLeast(0, "--min-new-tokens", minNewTokens);
        Values.atLeast(0, "--min-length", minLength);
        notAbove("--min-new-tokens", minNewTokens, "--max-new-tokens", maxNewTokens);
        notAbove("--min-length", minLength, "--max-length", maxLength);
        if (stop != null && stop.contains("")) {
            throw new UsageException("--stop is empty; expected at least one character");
        }
        if (includeStop && stop == null) {
            throw new UsageException("--include-stop goes with --stop, which is not given");
        }
        Values.check("--max-time", maxTime, maxTime != null && maxTime > 0 && maxTime <= MOST_SECONDS,
                "a number of seconds above 0");
        if (decay != null) {
            parseDecay();
        }
        if (ignoreEos && (minNewTokens != null || minLength != null || decay != null)) {
            throw new UsageException("--ignore-eos leaves no end token, which --min-new-tokens, --min-length and"
                    + " --exponential-decay-length-penalty are about; choose");
        }
    }

    private static void notAbove(String least, Integer leastValue, String most, Integer mostValue) {
        if (leastValue != null && mostValue != null && leastValue > mostValue) {
            throw new UsageException(least + " " + leastValue + " is more than " + most + " " + mostValue);
        }
    }

    private void parseDecay() {
        try {
            String[] parts = decay.split(",", -1);
            decayStart = Integer.parseInt(parts[0].strip());
            decayFactor = parts.length == 2 ? Double.parseDouble(parts[1].strip()) : Double.NaN;
        } catch (NumberFormatException e) {
            decayFactor = Double.NaN;
        }
        if (decayStart < 0 || !Values.isPositive(decayFactor)) {
            throw new UsageException("--exponential-decay-length-penalty is '" + Texts.shortened(decay)
                    + "'; expected a number of tokens and a factor above 0, such as 30,1.05");
        }
    }

    /**
     * Adds what was given; what was not stays as recommended.
     *
     * @throws UsageException if a penalty is about end tokens, and the model has none
     */
    GenerationOptions apply(GenerationOptions recommended, LoadedGpt model) {
        Stopping stopping = bounds(recommended.stopping());
        if (ignoreEos) {
            stopping = stopping.withEndTokens(List.of());
        }
        if (stop != null) {
            stopping = stopping.withStopTexts(stop.stream().map(Values::unescaped).toList())
                    .withIncludeStop(includeStop);
        } else if (model.tokenizer() == null) {
            // Texts that the model's authors recommend to stop at are for those who have texts.
            stopping = stopping.withStopTexts(List.of());
        }
        if (maxTime != null) {
            stopping = stopping.withMaxTime(Duration.ofNanos((long) Math.ceil(maxTime * 1e9)));
        }
        if (stopping.endTokens().isEmpty() && (minNewTokens != null || minLength != null || decay != null)) {
            throw new UsageException("the model has no end token, which --min-new-tokens, --min-length and"
                    + " --exponential-decay-length-penalty are about");
        }
        return recommended.withStopping(stopping).withSampling(this::lengths);
    }

    private Stopping bounds(Stopping recommended) {
        if (maxNewTokens != null) {
            return recommended.withoutBounds().withMaxNewTokens(maxNewTokens);
        }
        if (maxLength != null) {
            return recommended.withoutBounds().withMaxLength(maxLength);
        }
        return recommended.maxNewTokens().isEmpty() && recommended.maxLength().isEmpty()
                ? recommended.withMaxNewTokens(
                        minNewTokens == null ? DEFAULT_NEW_TOKENS : Math.max(DEFAULT_NEW_TOKENS, minNewTokens))
                : recommended;
    }

    private Sampling lengths(Sampling before) {
        Sampling sampling = ignoreEos
                ? before.minLength(0).minNewTokens(0).exponentialDecayLengthPenalty(0, 1)
                : before;
        sampling = minNewTokens == null ? sampling : sampling.minNewTokens(minNewTokens);
        sampling = minLength == null ? sampling : sampling.minLength(minLength);
        return decay == null ? sampling : sampling.exponentialDecayLengthPenalty(decayStart, decayFactor);
    }
}
