package org.vecformer.engine.generation;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.loader.GenerationConfig;

/** What a model's authors recommend, as options, with Hugging Face's defaults for what they leave open. */
final class Recommendation {
    private static final int DEFAULT_TOP_K = 50;

    private final GenerationConfig config;
    private final List<Integer> endTokens;

    /** @param fallbackEndTokens if the config names none */
    Recommendation(GenerationConfig config, List<Integer> fallbackEndTokens) {
        this.config = config;
        endTokens = config.eosTokenIds().isEmpty() ? fallbackEndTokens : config.eosTokenIds();
    }

    GenerationOptions options() {
        GenerationOptions options = GenerationOptions.defaults().withStrategy(strategy()).withSampling(sampling())
                .withStopping(stopping()).withReturnSequences(config.numReturnSequences().orElse(1));
        if (config.guidanceScale().orElse(1.0) != 1) {
            options = options.withGuidance(new Guidance(config.guidanceScale().get()));
        }
        if (config.promptLookupNumTokens().isPresent()) {
            options = options.withDrafting(new Drafting.PromptLookup(config.promptLookupNumTokens().getAsInt(),
                    config.maxMatchingNgramSize().orElse(2)));
        }
        return options;
    }

    private DecodingStrategy strategy() {
        boolean draws = config.doSample().orElse(false);
        int beams = config.numBeams().orElse(1);
        int topK = config.topK().orElse(DEFAULT_TOP_K);
        if (beams > 1) {
            int groups = config.numBeamGroups().orElse(1);
            DecodingStrategy.BeamSearch search = new DecodingStrategy.BeamSearch(beams)
                    .withLengthPenalty(config.lengthPenalty().orElse(1.0))
                    .withEarlyStopping(config.earlyStopping().flatMap(EarlyStopping::of)
                            .orElse(EarlyStopping.WHEN_UNLIKELY))
                    .withGroups(groups, groups > 1 ? config.diversityPenalty().orElse(0.0) : 0);
            return draws && groups == 1 ? search.withDrawing() : search;
        }
        if (!draws && topK > 1 && config.penaltyAlpha().orElse(0.0) > 0) {
            return new DecodingStrategy.ContrastiveSearch(topK, config.penaltyAlpha().get());
        }
        return draws ? DecodingStrategy.random() : DecodingStrategy.greedy();
    }

    private Sampling sampling() {
        Sampling sampling = Sampling.none().topK(config.topK().orElse(DEFAULT_TOP_K));
        sampling = with(sampling, config.temperature().filter(value -> value > 0), Sampling::temperature);
        sampling = with(sampling, config.topP().filter(value -> value > 0), Sampling::topP);
        sampling = with(sampling, config.minP(), Sampling::minP);
        sampling = with(sampling, config.topH().filter(value -> value > 0), Sampling::topH);
        sampling = with(sampling, config.typicalP(), Sampling::typicalP);
        sampling = with(sampling, config.epsilonCutoff().filter(value -> value < 1), Sampling::epsilonCutoff);
        sampling = with(sampling, config.etaCutoff().filter(value -> value < 1), Sampling::etaCutoff);
        sampling = with(sampling, config.repetitionPenalty(), Sampling::repetitionPenalty);
        sampling = with(sampling, config.encoderRepetitionPenalty(), Sampling::encoderRepetitionPenalty);
        sampling = sampling.noRepeatNgramSize(config.noRepeatNgramSize().orElse(0))
                .encoderNoRepeatNgramSize(config.encoderNoRepeatNgramSize().orElse(0))
                .minLength(config.minLength().orElse(0))
                .minNewTokens(config.minNewTokens().orElse(0));
        sampling = tokens(sampling);
        if (config.exponentialDecayLengthPenalty().size() == 2 && !endTokens.isEmpty()) {
            sampling = sampling.exponentialDecayLengthPenalty(
                    config.exponentialDecayLengthPenalty().get(0).intValue(),
                    config.exponentialDecayLengthPenalty().get(1));
        }
        if (config.removeInvalidValues().orElse(false)) {
            sampling = sampling.removeInvalidValues();
        }
        return config.renormalizeLogits().orElse(false) ? sampling.renormalize() : sampling;
    }

    /** With the rules about certain tokens. */
    private Sampling tokens(Sampling all) {
        Sampling sampling = all;
        if (!config.badWordsIds().isEmpty()) {
            sampling = sampling.badWords(config.badWordsIds().stream().map(Recommendation::ints).toList());
        }
        if (!config.sequenceBias().isEmpty()) {
            Map<List<Integer>, Float> biases = new LinkedHashMap<>();
            config.sequenceBias().forEach((sequence, bias) -> biases.put(sequence, bias.floatValue()));
            sampling = sampling.sequenceBias(biases);
        }
        if (!config.suppressTokens().isEmpty()) {
            sampling = sampling.suppressTokens(ints(config.suppressTokens()));
        }
        if (config.forcedBosTokenId().isPresent()) {
            sampling = sampling.forcedFirstToken(config.forcedBosTokenId().getAsInt());
        }
        if (!config.beginSuppressTokens().isEmpty()) {
            sampling = sampling.beginSuppressTokens(ints(config.beginSuppressTokens()));
        }
        return config.forcedEosTokenIds().isEmpty()
                ? sampling
                : sampling.forcedLastToken(ints(config.forcedEosTokenIds()));
    }

    private static Sampling with(Sampling sampling, Optional<Double> value,
            BiFunction<Sampling, Double, Sampling> change) {
        return value.isPresent() ? change.apply(sampling, value.get()) : sampling;
    }

    private static int[] ints(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private Stopping stopping() {
        Stopping stopping = new Stopping(config.maxNewTokens(), config.maxLength(), endTokens, config.stopStrings(),
                false, Optional.empty(), StopCondition.NEVER);
        double seconds = config.maxTime().orElse(0.0);
        return seconds > 0 ? stopping.withMaxTime(Duration.ofNanos((long) (seconds * 1e9))) : stopping;
    }
}
