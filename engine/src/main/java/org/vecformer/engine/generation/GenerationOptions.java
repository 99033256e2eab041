package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Multinomial;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Temperature;
import org.vecformer.engine.sampler.TopK;
import org.vecformer.engine.sampler.TopP;
import org.vecformer.loader.GenerationConfig;

/**
 * How to continue a text. Immutable; each {@code with} method gives a changed copy.
 *
 * @param maxNewTokens   the most tokens to write; empty if only {@code maxLength} or the context length bounds them
 * @param maxLength      the most tokens of prompt and continuation together; empty for the context length
 * @param greedy         take the most likely token instead of drawing one; the sampling options are not used then
 * @param temperature    divides the logits; 1 changes nothing
 * @param topK           draw from that many of the most likely tokens; 0 from all
 * @param topP           draw from the fewest most likely tokens that together have this probability; 1 from all
 * @param seed           of the random generator: the same seed gives the same text; empty for a new one each time
 * @param endTokens      ids that end the text; the end token is the last of the result's ids, its text is not shown
 * @param truncatePrompt drop the beginning of a prompt that is too long, instead of refusing it
 * @param useCache       keep keys and values from token to token; without, everything is computed again for each, with
 *                       the same result
 */
public record GenerationOptions(OptionalInt maxNewTokens, OptionalInt maxLength, boolean greedy, double temperature,
        int topK,
        double topP, OptionalLong seed, List<Integer> endTokens, boolean truncatePrompt, boolean useCache) {

    public GenerationOptions {
        if (maxNewTokens.isPresent() && maxNewTokens.getAsInt() < 0) {
            throw new IllegalArgumentException("maxNewTokens is " + maxNewTokens.getAsInt() + "; expected 0 or more");
        }
        if (maxLength.isPresent() && maxLength.getAsInt() < 1) {
            throw new IllegalArgumentException("maxLength is " + maxLength.getAsInt() + "; expected 1 or more");
        }
        if (!(temperature > 0) || temperature == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("temperature is " + temperature
                    + "; expected a number above 0 (for the most likely token each time choose greedy)");
        }
        if (topK < 0) {
            throw new IllegalArgumentException("topK is " + topK + "; expected 0 (all tokens) or more");
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("topP is " + topP + "; expected a number above 0 and up to 1");
        }
        endTokens = List.copyOf(endTokens);
    }

    /** Greedy, until the context is full; no end token. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(OptionalInt.empty(), OptionalInt.empty(), true, 1, 0, 1, OptionalLong.empty(),
                List.of(), false,
                true);
    }

    /**
     * What a model's authors recommend, with Hugging Face's defaults for what they leave open: greedy unless {@code
     * do_sample}, and then the 50 most likely tokens.
     *
     * @param fallbackEndTokens the end tokens if the generation config names none: those of the model's config
     */
    public static GenerationOptions recommended(GenerationConfig config, List<Integer> fallbackEndTokens) {
        boolean sample = config.doSample().orElse(false);
        double temperature = config.temperature().filter(t -> t > 0).orElse(1.0);
        return new GenerationOptions(config.maxNewTokens(), config.maxLength(), !sample, temperature,
                config.topK().orElse(50),
                config.topP().filter(p -> p > 0).orElse(1.0), OptionalLong.empty(),
                config.eosTokenIds().isEmpty() ? fallbackEndTokens : config.eosTokenIds(), false, true);
    }

    /**
     * The samplers that these options describe, in Hugging Face's order: temperature, top-k, top-p, then the choice.
     *
     * @param randomSeed used if the options have no seed
     */
    public Sampler sampler(long randomSeed) {
        if (greedy) {
            return new Greedy();
        }
        List<Sampler> samplers = new ArrayList<>();
        if (temperature != 1) {
            samplers.add(new Temperature(temperature));
        }
        if (topK > 0) {
            samplers.add(new TopK(topK));
        }
        if (topP < 1) {
            samplers.add(new TopP(topP));
        }
        samplers.add(new Multinomial(seed.orElse(randomSeed)));
        return new SamplerChain(samplers);
    }

    public GenerationOptions withMaxNewTokens(int maxNewTokens) {
        return new GenerationOptions(OptionalInt.of(maxNewTokens), maxLength, greedy, temperature, topK, topP, seed,
                endTokens,
                truncatePrompt, useCache);
    }

    public GenerationOptions withMaxLength(int maxLength) {
        return new GenerationOptions(maxNewTokens, OptionalInt.of(maxLength), greedy, temperature, topK, topP, seed,
                endTokens,
                truncatePrompt, useCache);
    }

    public GenerationOptions withGreedy(boolean greedy) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }

    public GenerationOptions withTemperature(double temperature) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }

    public GenerationOptions withTopK(int topK) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }

    public GenerationOptions withTopP(double topP) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }

    public GenerationOptions withSeed(long seed) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, OptionalLong.of(seed),
                endTokens,
                truncatePrompt, useCache);
    }

    public GenerationOptions withEndTokens(Integer... endTokens) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed,
                Arrays.asList(endTokens),
                truncatePrompt, useCache);
    }

    public GenerationOptions withTruncatePrompt(boolean truncatePrompt) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }

    public GenerationOptions withUseCache(boolean useCache) {
        return new GenerationOptions(maxNewTokens, maxLength, greedy, temperature, topK, topP, seed, endTokens,
                truncatePrompt,
                useCache);
    }
}
