package org.vecformer.engine.generation;

import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.sampler.SamplingContext;

/**
 * How a masked language model writes. Immutable; each {@code with} method gives a changed copy.
 *
 * @param strategy         how it is made to
 * @param masks            how many masks {@link MaskStrategy#SEQUENTIAL} looks ahead, that which is filled included
 * @param maxNewTokens     the most tokens to write; for {@link MaskStrategy#GIBBS} how many masks are put behind the
 *                         text, and with 0 the text's own masks, or if it has none all of its tokens, get new ones
 * @param stopTokens       spellings of tokens that end the text; not for {@link MaskStrategy#GIBBS}
 * @param greedy           take the most likely token instead of drawing one; the temperature, and what else only shapes
 *                         a distribution to draw from, is not used then
 * @param temperature      divides the logits
 * @param finalTemperature the temperature of the last iteration of {@link MaskStrategy#GIBBS}; those between change
 *                         evenly from {@code temperature} to this
 * @param sampling         what else is done with the logits; without a temperature, which stands above. The text so far
 *                         that it looks at is the prompt and then each token that was chosen, in that order, those that
 *                         {@link MaskStrategy#GIBBS} replaced later included
 * @param seed             of the random generator: the same seed gives the same text; empty for a new one each time
 * @param specialTokens    whether special tokens ([SEP], [MASK], ...) may be written
 * @param iterations       how often {@link MaskStrategy#GIBBS} gives a position a new token
 * @param burnIn           how many of these iterations always draw; afterwards, if there is no top-k, the most likely
 *                         token is taken, as in the authors' program (github.com/nyu-dl/bert-gen, {@code
 *                         parallel_sequential_generation})
 * @param order            in which {@link MaskStrategy#GIBBS} goes through the positions
 */
public record MaskGenerationOptions(MaskStrategy strategy, int masks, int maxNewTokens, List<String> stopTokens,
        boolean greedy, double temperature, double finalTemperature, Sampling sampling, OptionalLong seed,
        boolean specialTokens, int iterations, int burnIn, ResampleOrder order) {

    public MaskGenerationOptions {
        Objects.requireNonNull(strategy, "strategy");
        Objects.requireNonNull(sampling, "sampling");
        Objects.requireNonNull(seed, "seed");
        Objects.requireNonNull(order, "order");
        if (masks < 1) {
            throw new IllegalArgumentException("masks is " + masks + "; expected 1 or more");
        }
        requireNotNegative("maxNewTokens", maxNewTokens);
        requireNotNegative("iterations", iterations);
        requireNotNegative("burnIn", burnIn);
        requireTemperature("temperature", temperature);
        requireTemperature("finalTemperature", finalTemperature);
        if (sampling.has(SamplerKind.TEMPERATURE)) {
            throw new IllegalArgumentException(
                    "the sampling has a temperature; expected it as the temperature of these options");
        }
        stopTokens = List.copyOf(stopTokens);
    }

    private static void requireNotNegative(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " is " + value + "; expected 0 or more");
        }
    }

    private static void requireTemperature(String name, double value) {
        if (!(value > 0) || value == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException(name + " is " + value
                    + "; expected a number above 0 (for the most likely token each time choose greedy)");
        }
    }

    /** Three masks ahead, the most likely token each time, up to 15 of them or until one of {@code . ? !}. */
    public static MaskGenerationOptions sequential() {
        return new MaskGenerationOptions(MaskStrategy.SEQUENTIAL, 3, 15, List.of(".", "?", "!"), true, 1, 1,
                Sampling.none(), OptionalLong.empty(), false, 0, 0, ResampleOrder.RANDOM);
    }

    /** The naive way, to compare with: one mask at the end, over and over, with nothing that ends the text. */
    public static MaskGenerationOptions append() {
        return sequential().withStrategy(MaskStrategy.APPEND).withStopTokens();
    }

    /**
     * What the authors' program has: 500 iterations at random positions, tokens drawn from the 100 most likely ones.
     */
    public static MaskGenerationOptions gibbs() {
        return sequential().withStrategy(MaskStrategy.GIBBS).withGreedy(false)
                .withSampling(sampling -> sampling.topK(100)).withIterations(500).withBurnIn(200);
    }

    /**
     * The samplers that these options describe, in the sampling's order, and the choice behind them.
     *
     * @param randomSeed used if the options have no seed
     */
    public Sampler sampler(long randomSeed) {
        return chain(sampling.temperature(temperature), greedy, randomSeed);
    }

    /**
     * The samplers of {@link MaskStrategy#GIBBS}, which count its iterations by the tokens they accept: the temperature
     * changes, and behind the burn-in the most likely token is taken if there is no top-k.
     *
     * @param randomSeed used if the options have no seed
     */
    public Sampler resampler(long randomSeed) {
        if (greedy) {
            return chain(sampling, true, randomSeed);
        }
        Sampler drawing = chain(sampling.with(SamplerKind.TEMPERATURE,
                new AnnealedTemperature(temperature, finalTemperature, iterations)), false, randomSeed);
        return sampling.has(SamplerKind.TOP_K)
                ? drawing
                : new BurnIn(drawing, chain(sampling, true, randomSeed), burnIn);
    }

    private Sampler chain(Sampling whole, boolean mostLikely, long randomSeed) {
        long own = seed.orElse(randomSeed);
        SamplingContext context = new SamplingContext(Integer.MAX_VALUE, new int[0], 1, own);
        return SamplerChain.of(whole.processors(context, !mostLikely), mostLikely ? new Greedy() : whole.draw(own));
    }

    public MaskGenerationOptions withStrategy(MaskStrategy strategy) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withMasks(int masks) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withMaxNewTokens(int maxNewTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withStopTokens(String... stopTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, List.of(stopTokens), greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withGreedy(boolean greedy) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    /** The same temperature from the first iteration to the last. */
    public MaskGenerationOptions withTemperature(double temperature) {
        return withAnnealing(temperature, temperature);
    }

    /** A temperature that changes evenly from the first iteration of {@link MaskStrategy#GIBBS} to the last. */
    public MaskGenerationOptions withAnnealing(double temperature, double finalTemperature) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    /** With a change to the sampling. */
    public MaskGenerationOptions withSampling(UnaryOperator<Sampling> change) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, change.apply(sampling), seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withSeed(long seed) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, OptionalLong.of(seed), specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withSpecialTokens(boolean specialTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withIterations(int iterations) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withBurnIn(int burnIn) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withOrder(ResampleOrder order) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, sampling, seed, specialTokens, iterations, burnIn, order);
    }
}
