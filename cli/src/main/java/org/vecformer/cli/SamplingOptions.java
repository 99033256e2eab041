package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.loader.GenerationConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * How the continuation is chosen and where it ends. What is not given is as the model's
 * generation_config.json recommends.
 */
final class SamplingOptions {
    /** Enough for a story; a model that has no end token would fill its whole context. */
    private static final int DEFAULT_NEW_TOKENS = 200;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "write at most so many tokens (default: the model's, else "
            + DEFAULT_NEW_TOKENS + ")")
    Integer maxNewTokens;

    @Option(names = "--max-length", paramLabel = "N", description = "at most so many tokens of prompt and continuation together")
    Integer maxLength;

    @Mixin
    DrawOptions draw = new DrawOptions();

    @Option(names = "--ignore-eos", description = "write on behind the end token")
    boolean ignoreEos;

    @Option(names = "--truncate", description = "drop the beginning of a prompt that does not fit, instead of refusing it")
    boolean truncate;

    @Option(names = "--no-cache", description = "compute everything again for each token (slow; the result is the same)")
    boolean noCache;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        draw.check();
        if (maxNewTokens != null && maxLength != null) {
            throw new UsageException("--max-new-tokens and --max-length say the same in two ways; give one of them");
        }
        DrawOptions.check("--max-new-tokens", maxNewTokens, maxNewTokens == null || maxNewTokens >= 0, "0 or more");
        DrawOptions.check("--max-length", maxLength, maxLength == null || maxLength >= 1, "1 or more");
    }

    /**
     * The options with everything settled: the model's recommendations, what was given, and a seed.
     */
    GenerationOptions resolve(LoadedGpt2 model) {
        GenerationConfig config = model.generation();
        GenerationOptions options = GenerationOptions.recommended(config, model.gpt2().config().eosTokenIds());
        if (maxNewTokens != null
                || maxLength == null && options.stopping().maxNewTokens().isEmpty()
                        && options.stopping().maxLength().isEmpty()) {
            options = options.withStopping(options.stopping().withoutBounds())
                    .withMaxNewTokens(maxNewTokens == null ? DEFAULT_NEW_TOKENS : maxNewTokens);
        } else if (maxLength != null) {
            options = options.withStopping(options.stopping().withoutBounds()).withMaxLength(maxLength);
        }
        boolean greedy = draw.greedy || !options.strategy().drawsTokens() && !draw.given();
        options = options.withStrategy(greedy ? DecodingStrategy.greedy() : DecodingStrategy.random());
        if (draw.temperature != null) {
            options = options.withSampling(sampling -> sampling.temperature(draw.temperature));
        }
        if (draw.topK != null) {
            options = options.withSampling(sampling -> sampling.topK(draw.topK));
        }
        if (draw.topP != null) {
            options = options.withSampling(sampling -> sampling.topP(draw.topP));
        }
        if (ignoreEos) {
            options = options.withEndTokens();
        }
        options = options.withTruncatePrompt(truncate).withUseCache(!noCache);
        if (!greedy) {
            options = options.withSeed(draw.seedOrNew());
        }
        return options;
    }

    /** What the model's authors recommend and this build does not have; empty if there is nothing. */
    static List<String> notFollowed(GenerationConfig config) {
        List<String> names = new ArrayList<>();
        addUnless(names, "min_p", config.minP(), 0);
        addUnless(names, "typical_p", config.typicalP(), 1);
        addUnless(names, "repetition_penalty", config.repetitionPenalty(), 1);
        return names;
    }

    private static void addUnless(List<String> names, String name, Optional<Double> value, double neutral) {
        if (value.isPresent() && value.get() != neutral) {
            names.add(name + " " + value.get());
        }
    }
}
