package org.vecformer.cli;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.sampler.Sampling;
import picocli.CommandLine.Option;

/** Rules for certain tokens, and the order of all rules. */
@Section("Rules for certain tokens")
final class TokenOptions {
    /** The shortest text before a colon and a number, at whose end the next one begins. */
    private static final Pattern BIAS = Pattern.compile("(.+?):([+-]?(?:[\\d.]+(?:[eE][+-]?\\d+)?|inf))(?:,|$)",
            Pattern.DOTALL);

    @Option(names = "--bad-words", paramLabel = "TEXT", description = "this text is not written, with and without a space before it; several with commas (\\, is a comma) or by several options")
    List<String> badWords;

    @Option(names = "--logit-bias", paramLabel = "TOKEN:BIAS", description = "add BIAS to the logit of a token: an id, or a text as it stands, a space before it included (of several tokens, to the last one's behind the others); several with commas or by several options")
    List<String> logitBias;

    @Option(names = "--suppress-tokens", paramLabel = "IDS", description = "these token ids are not written")
    String suppressTokens;

    @Option(names = "--begin-suppress-tokens", paramLabel = "IDS", description = "the text does not begin with these token ids")
    String beginSuppressTokens;

    @Option(names = "--forced-bos-token-id", paramLabel = "ID", description = "behind a prompt of one token this token comes first")
    Integer forcedBos;

    @Option(names = "--forced-eos-token-id", paramLabel = "IDS", description = "a text that reaches its largest length ends with this token, or the likeliest of several")
    String forcedEos;

    @Option(names = "--remove-invalid-values", description = "take NaN and infinite logits for 0 and the largest numbers")
    boolean removeInvalidValues;

    @Option(names = "--renormalize-logits", description = "make the logits log-probabilities behind all other rules (beams sum them)")
    boolean renormalize;

    @Option(names = "--sampler-order", paramLabel = "NAMES", description = "the order in which rules are applied, such as temperature,top_k,top_p; what a model's authors recommend and is not in it is left out (default: Hugging Face's order)")
    String order;

    private List<SamplerKind> kinds;
    private final Map<String, Float> biases = new LinkedHashMap<>();

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (badWords != null && words().anyMatch(String::isEmpty)) {
            throw new UsageException("--bad-words has an empty text; expected texts, with commas between them");
        }
        if (logitBias != null) {
            logitBias.forEach(this::parseBias);
        }
        ids("--suppress-tokens", suppressTokens);
        ids("--begin-suppress-tokens", beginSuppressTokens);
        Values.atLeast(0, "--forced-bos-token-id", forcedBos);
        ids("--forced-eos-token-id", forcedEos);
        kinds = order == null ? null : parseOrder();
    }

    private Stream<String> words() {
        return badWords.stream().flatMap(words -> Values.list(words).stream());
    }

    private void parseBias(String list) {
        Matcher matcher = BIAS.matcher(list);
        int end = 0;
        while (end < list.length() && matcher.find(end) && matcher.start() == end) {
            try {
                biases.put(matcher.group(1), Float.parseFloat(matcher.group(2).replace("inf", "Infinity")));
            } catch (NumberFormatException e) {
                break;
            }
            end = matcher.end();
        }
        if (end < list.length() || list.isEmpty()) {
            throw new UsageException("--logit-bias is '" + Texts.shortened(list)
                    + "'; expected a token id or a text, a colon and a number, such as 464:-5 or \" the:1.5\"");
        }
    }

    private static int[] ids(String option, String ids) {
        int[] parsed = ids == null ? new int[0] : Texts.ids(ids);
        if (ids != null && parsed.length == 0) {
            throw new UsageException(option + " is empty; expected token ids such as 464,2068,7586");
        }
        return parsed;
    }

    private List<SamplerKind> parseOrder() {
        List<SamplerKind> parsed = new ArrayList<>();
        for (String name : order.split(",", -1)) {
            SamplerKind kind = SamplerKind.of(name).orElseThrow(
                    () -> new UsageException("--sampler-order has '" + Texts.shortened(name) + "'; expected names of: "
                            + Stream.of(SamplerKind.values()).map(SamplerKind::label)
                                    .collect(Collectors.joining(", "))));
            if (parsed.contains(kind)) {
                throw new UsageException("--sampler-order has " + kind.label() + " twice; each may come once");
            }
            parsed.add(kind);
        }
        return parsed;
    }

    /** Leaves out what a given order does not have. */
    Sampling ordered(Sampling recommended) {
        if (kinds == null) {
            return recommended;
        }
        Sampling sampling = recommended;
        for (SamplerKind kind : missing()) {
            sampling = sampling.without(kind);
        }
        return sampling.order(kinds);
    }

    /** @throws UsageException if a given order does not have what other options set */
    void checkOrder(Sampling sampling) {
        for (SamplerKind kind : missing()) {
            if (sampling.has(kind)) {
                throw new UsageException("--sampler-order lacks " + kind.label() + ", which another option sets");
            }
        }
    }

    private Set<SamplerKind> missing() {
        return kinds == null
                ? EnumSet.noneOf(SamplerKind.class)
                : EnumSet.complementOf(kinds.isEmpty() ? EnumSet.noneOf(SamplerKind.class) : EnumSet.copyOf(kinds));
    }

    /** @throws CommandException if an id is none of the model's, or a text was given and there is no tokenizer */
    Sampling apply(Sampling before, LoadedGpt model) throws CommandException {
        Sampling sampling = before;
        if (badWords != null) {
            List<int[]> sequences = new ArrayList<>();
            for (String word : words().toList()) {
                sequences.addAll(InnerText.spellings(model.requiredTokenizer(), word));
            }
            sampling = sampling.badWords(sequences);
        }
        if (!biases.isEmpty()) {
            Map<List<Integer>, Float> sequences = new LinkedHashMap<>();
            for (Map.Entry<String, Float> bias : biases.entrySet()) {
                sequences.put(IntStream.of(biased(bias.getKey(), model)).boxed().toList(), bias.getValue());
            }
            sampling = sampling.sequenceBias(sequences);
        }
        if (suppressTokens != null) {
            sampling = sampling.suppressTokens(model.checked(Texts.ids(suppressTokens)));
        }
        if (forcedBos != null) {
            sampling = sampling.forcedFirstToken(model.checked(new int[]{forcedBos})[0]);
        }
        if (beginSuppressTokens != null) {
            sampling = sampling.beginSuppressTokens(model.checked(Texts.ids(beginSuppressTokens)));
        }
        if (forcedEos != null) {
            sampling = sampling.forcedLastToken(model.checked(Texts.ids(forcedEos)));
        }
        sampling = removeInvalidValues ? sampling.removeInvalidValues() : sampling;
        return renormalize ? sampling.renormalize() : sampling;
    }

    private static int[] biased(String token, LoadedGpt model) throws CommandException {
        return token.matches("\\d{1,9}")
                ? model.checked(new int[]{Integer.parseInt(token)})
                : InnerText.ids(model.requiredTokenizer(), Values.unescaped(token));
    }
}
