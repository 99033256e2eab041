package org.vecformer.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.vecformer.engine.dialog.ReplyOptions;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * How replies are written: options of {@code chat}, which its {@code /set} changes and its files keep. A change gives
 * a new object, checked as the command line is.
 */
@Section("Replies")
final class ReplySettings {
    private static final ReplyOptions DEFAULTS = ReplyOptions.defaults();
    /** Part of {@link #DEFAULTS}, which does not tell it. */
    private static final double DEFAULT_TOP_P = 0.9;
    private static final int DEFAULT_MIN = 1;
    private static final int DEFAULT_MAX = 20;
    private static final int DEFAULT_HISTORY = 2;

    @Option(names = "--min-new-tokens", paramLabel = "N", description = "write at least so many tokens of a reply (default: "
            + DEFAULT_MIN + ")")
    Integer minNewTokens;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "write at most so many tokens of a reply (default: "
            + DEFAULT_MAX + ")")
    Integer maxNewTokens;

    @Option(names = "--max-history", paramLabel = "N", description = "the model sees the last 2 x N + 1 utterances (default: "
            + DEFAULT_HISTORY + ")")
    Integer maxHistory;

    @Mixin
    DrawOptions draw = new DrawOptions();

    @Mixin
    PenaltyOptions penalties = new PenaltyOptions();

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        draw.check();
        penalties.check();
        Values.atLeast(0, "--min-new-tokens", minNewTokens);
        Values.atLeast(1, "--max-new-tokens", maxNewTokens);
        Values.atLeast(0, "--max-history", maxHistory);
        if (least() > most()) {
            throw new UsageException("--min-new-tokens " + least() + " is more than --max-new-tokens " + most());
        }
    }

    private int least() {
        return minNewTokens != null ? minNewTokens : Math.min(DEFAULT_MIN, most());
    }

    private int most() {
        return maxNewTokens != null
                ? maxNewTokens
                : minNewTokens == null ? DEFAULT_MAX : Math.max(DEFAULT_MAX, minNewTokens);
    }

    int historyTurns() {
        return maxHistory == null ? DEFAULT_HISTORY : maxHistory;
    }

    /** @param seed of the next reply; not used if none is drawn */
    ReplyOptions options(long seed) {
        ReplyOptions options = DEFAULTS.withSampling(sampling -> sampling.topP(DEFAULT_TOP_P)).withSampling(draw::apply)
                .withSampling(penalties::apply).withGreedy(draw.greedy).withNewTokens(least(), most())
                .withHistoryTurns(historyTurns());
        if (draw.temperature != null) {
            options = options.withTemperature(draw.temperature);
        }
        return draw.greedy ? options : options.withSeed(seed);
    }

    /** What was given, by the options' names without their dashes. */
    Map<String, String> given() {
        Map<String, String> values = new LinkedHashMap<>();
        for (OptionSpec option : CommandSpec.forAnnotatedObject(this).options()) {
            Object value = option.getValue();
            if (value != null && !Boolean.FALSE.equals(value)) {
                values.put(name(option), value.toString());
            }
        }
        return values;
    }

    /** What holds: what was given, and the defaults of what most people ask for. */
    Map<String, String> effective() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("min-new-tokens", String.valueOf(least()));
        values.put("max-new-tokens", String.valueOf(most()));
        values.put("max-history", String.valueOf(historyTurns()));
        if (!draw.greedy) {
            values.put("temperature", String.valueOf(DEFAULTS.temperature()));
            if (draw.mirostatTau == null) {
                values.put("top-p", String.valueOf(DEFAULT_TOP_P));
            }
        }
        values.putAll(given());
        return values;
    }

    /** The names that there are. */
    static List<String> names() {
        return CommandSpec.forAnnotatedObject(new ReplySettings()).options().stream().map(ReplySettings::name).toList();
    }

    private static String name(OptionSpec option) {
        return option.longestName().substring(2);
    }

    /**
     * With another value.
     *
     * @param value {@code default} for none; of a switch {@code on} or {@code off}
     * @throws UsageException if there is no such setting, or the value does not fit
     */
    ReplySettings with(String name, String value) {
        if (!names().contains(name)) {
            throw new UsageException(
                    "there is no setting '" + Texts.shortened(name) + "'; " + Nearest.advice(name, names()));
        }
        Map<String, String> values = given();
        switch (value) {
            case "default", "off" -> values.remove(name);
            case "on" -> values.put(name, "true");
            default -> values.put(name, value);
        }
        return of(values);
    }

    /**
     * Settings of these values.
     *
     * @throws UsageException if there is no such setting, or a value does not fit
     */
    static ReplySettings of(Map<String, String> values) {
        ReplySettings settings = new ReplySettings();
        try {
            new CommandLine(settings).parseArgs(values.entrySet().stream().map(ReplySettings::argument)
                    .toArray(String[]::new));
        } catch (ParameterException e) {
            throw new UsageException(e.getMessage());
        }
        settings.check();
        return settings;
    }

    private static String argument(Map.Entry<String, String> value) {
        return "--" + value.getKey() + (value.getValue().equals("true") ? "" : "=" + value.getValue());
    }

    /** In a line. */
    @Override
    public String toString() {
        return effective().entrySet().stream().map(value -> value.getKey() + " " + value.getValue())
                .collect(Collectors.joining(", "));
    }
}
