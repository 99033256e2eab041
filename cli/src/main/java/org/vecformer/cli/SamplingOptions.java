package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.loader.GenerationConfig;
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

    @Option(names = "--greedy", description = "always take the most likely token")
    boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "divide the logits by T: below 1 bolder, above 1 wilder")
    Double temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "draw from the K most likely tokens; 0 for all")
    Integer topK;

    @Option(names = "--top-p", paramLabel = "P", description = "draw from the most likely tokens that together have the probability P")
    Double topP;

    @Option(names = "--seed", paramLabel = "N", description = "the same seed gives the same text; without it a new one is taken and shown")
    Long seed;

    @Option(names = "--ignore-eos", description = "write on behind the end token")
    boolean ignoreEos;

    @Option(names = "--truncate", description = "drop the beginning of a prompt that does not fit, instead of refusing it")
    boolean truncate;

    @Option(names = "--no-cache", description = "compute everything again for each token (slow; the result is the same)")
    boolean noCache;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (greedy && samplingGiven()) {
            throw new UsageException(
                    "--greedy draws no tokens; --temperature, --top-k, --top-p and --seed do not go with it");
        }
        if (maxNewTokens != null && maxLength != null) {
            throw new UsageException("--max-new-tokens and --max-length say the same in two ways; give one of them");
        }
        check("--max-new-tokens", maxNewTokens, maxNewTokens == null || maxNewTokens >= 0, "0 or more");
        check("--max-length", maxLength, maxLength == null || maxLength >= 1, "1 or more");
        check("--temperature", temperature, temperature == null || temperature > 0 && temperature < Float.MAX_VALUE,
                "a number above 0 (--greedy takes the most likely token)");
        check("--top-k", topK, topK == null || topK >= 0, "0 (all tokens) or more");
        check("--top-p", topP, topP == null || topP > 0 && topP <= 1, "a number above 0 and up to 1");
    }

    private static void check(String name, Object value, boolean good, String expected) {
        if (!good) {
            throw new UsageException(name + " is " + value + "; expected " + expected);
        }
    }

    private boolean samplingGiven() {
        return temperature != null || topK != null || topP != null || seed != null;
    }

    /**
     * The options with everything settled: the model's recommendations, what was given, and a seed.

     */
    GenerationOptions resolve(LoadedGpt2 model) {
        GenerationConfig config = model.generation();
        GenerationOptions options = GenerationOptions.recommended(config, model.gpt2().config().eosTokenIds());
        if (maxNewTokens != null
                || maxLength == null && options.maxNewTokens().isEmpty() && options.maxLength().isEmpty()) {
            options = bounded(options, maxNewTokens == null ? DEFAULT_NEW_TOKENS : maxNewTokens, null);
        } else if (maxLength != null) {
            options = bounded(options, null, maxLength);
        }
        options = options.withGreedy(greedy || options.greedy() && !samplingGiven());
        if (temperature != null) {
            options = options.withTemperature(temperature);
        }
        if (topK != null) {
            options = options.withTopK(topK);
        }
        if (topP != null) {
            options = options.withTopP(topP);
        }
        if (ignoreEos) {
            options = options.withEndTokens();
        }
        options = options.withTruncatePrompt(truncate).withUseCache(!noCache);
        if (!options.greedy()) {
            // A seed that is made up is short enough to be typed.
            options = options.withSeed(seed != null ? seed : new SplittableRandom().nextLong() >>> 33);
        }
        return options;
    }

    /** The model's own bounds give way to the user's. */
    private static GenerationOptions bounded(GenerationOptions options, Integer newTokens, Integer length) {
        GenerationOptions free = new GenerationOptions(OptionalInt.empty(), OptionalInt.empty(),
                options.greedy(), options.temperature(), options.topK(), options.topP(), options.seed(),
                options.endTokens(),
                options.truncatePrompt(), options.useCache());
        return newTokens != null ? free.withMaxNewTokens(newTokens) : free.withMaxLength(length);
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
