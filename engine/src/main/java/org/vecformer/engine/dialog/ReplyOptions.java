package org.vecformer.engine.dialog;

import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.Stopping;
import org.vecformer.engine.sampler.MinNewTokens;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.tokenizer.Tokenizer;

/**
 * How a reply is written. Immutable; each {@code with} method gives a changed copy.
 *
 * @param greedy       take the most likely token instead of drawing one; the temperature, and what else only shapes a
 *                     distribution to draw from, is not used then
 * @param temperature  divides the logits
 * @param sampling     what else is done with the logits; without a temperature, which stands above, and without a least
 *                     number of tokens, which stands below
 * @param minNewTokens the fewest tokens of a reply
 * @param maxNewTokens the most tokens of a reply, at least 1
 * @param historyTurns how many turns of both the model sees before the utterance that it answers: see
 *                     {@link Dialog#lastTurns}
 * @param seed         of the random generator: the same seed gives the same reply; empty for a new one each time
 */
public record ReplyOptions(boolean greedy, double temperature, Sampling sampling, int minNewTokens, int maxNewTokens,
        int historyTurns, OptionalLong seed) {

    public ReplyOptions {
        Objects.requireNonNull(sampling, "sampling");
        Objects.requireNonNull(seed, "seed");
        if (!(temperature > 0) || temperature == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("the temperature is " + temperature
                    + "; expected a number above 0 (for the most likely token each time choose greedy)");
        }
        if (sampling.has(SamplerKind.TEMPERATURE) || sampling.has(SamplerKind.MIN_NEW_TOKENS)) {
            throw new IllegalArgumentException("the sampling has a temperature or a least number of new tokens;"
                    + " expected them as options of the reply");
        }
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("maxNewTokens is " + maxNewTokens + "; expected 1 or more");
        }
        if (minNewTokens < 0 || minNewTokens > maxNewTokens) {
            throw new IllegalArgumentException("minNewTokens is " + minNewTokens + "; expected 0 to the " + maxNewTokens
                    + " of maxNewTokens");
        }
        if (historyTurns < 0) {
            throw new IllegalArgumentException("historyTurns is " + historyTurns + "; expected 0 or more");
        }
    }

    /**
     * What the article's program has (interact.py): a temperature of 0.7, drawn from a nucleus of 0.9, 1 to 20 tokens, 2
     * turns of history.
     */
    public static ReplyOptions defaults() {
        return new ReplyOptions(false, 0.7, Sampling.none().topP(0.9), 1, 20, 2, OptionalLong.empty());
    }

    public ReplyOptions withGreedy(boolean greedy) {
        return new ReplyOptions(greedy, temperature, sampling, minNewTokens, maxNewTokens, historyTurns, seed);
    }

    public ReplyOptions withTemperature(double temperature) {
        return new ReplyOptions(greedy, temperature, sampling, minNewTokens, maxNewTokens, historyTurns, seed);
    }

    /** With a change to the sampling. */
    public ReplyOptions withSampling(UnaryOperator<Sampling> change) {
        return new ReplyOptions(greedy, temperature, change.apply(sampling), minNewTokens, maxNewTokens, historyTurns,
                seed);
    }

    /** With so many tokens, both counts included. */
    public ReplyOptions withNewTokens(int min, int max) {
        return new ReplyOptions(greedy, temperature, sampling, min, max, historyTurns, seed);
    }

    public ReplyOptions withHistoryTurns(int historyTurns) {
        return new ReplyOptions(greedy, temperature, sampling, minNewTokens, maxNewTokens, historyTurns, seed);
    }

    public ReplyOptions withSeed(long seed) {
        return withSeed(OptionalLong.of(seed));
    }

    public ReplyOptions withSeed(OptionalLong seed) {
        return new ReplyOptions(greedy, temperature, sampling, minNewTokens, maxNewTokens, historyTurns, seed);
    }

    /** For a GPT that reads dialogs in this format. */
    GenerationOptions generation(DialogFormat format) {
        DecodingStrategy strategy = greedy ? DecodingStrategy.greedy() : new DecodingStrategy.RandomSampling(seed);
        return GenerationOptions.defaults().withStrategy(strategy)
                .withSampling(sampling.temperature(temperature).minNewTokens(minNewTokens))
                .withStopping(Stopping.whenFull().withMaxNewTokens(maxNewTokens).withEndTokens(format.endTokens())
                        .withStopTexts(format.stopTexts()));
    }

    /** For a BERT, which fills masks in this way. */
    MaskGenerationOptions masked(MaskGenerationOptions masks, Tokenizer tokenizer) {
        int[] ends = masks.stopTokens().stream().mapToInt(end -> tokenizer.id(end).getAsInt()).toArray();
        Sampling whole = minNewTokens == 0
                ? sampling
                : sampling.with(SamplerKind.MIN_NEW_TOKENS, new MinNewTokens(minNewTokens, ends));
        MaskGenerationOptions options = masks.withGreedy(greedy).withTemperature(temperature)
                .withSampling(_ -> whole).withMaxNewTokens(maxNewTokens);
        return seed.isPresent() ? options.withSeed(seed.getAsLong()) : options;
    }
}
