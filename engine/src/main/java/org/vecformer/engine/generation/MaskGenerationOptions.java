package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Multinomial;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Temperature;
import org.vecformer.engine.sampler.TopK;
import org.vecformer.engine.sampler.TopP;

/**
 * How a masked language model writes. Immutable; each {@code with} method gives a changed copy.
 *
 * @param strategy         how it is made to
 * @param masks            how many masks {@link MaskStrategy#SEQUENTIAL} looks ahead, that which is filled included
 * @param maxNewTokens     the most tokens to write; for {@link MaskStrategy#GIBBS} how many masks are put behind the
 *                         text, and with 0 the text's own masks, or if it has none all of its tokens, get new ones
 * @param stopTokens       spellings of tokens that end the text; not for {@link MaskStrategy#GIBBS}
 * @param greedy           take the most likely token instead of drawing one; temperature, top-k and top-p are not used
 *                         then
 * @param temperature      divides the logits
 * @param finalTemperature the temperature of the last iteration of {@link MaskStrategy#GIBBS}; those between change
 *                         evenly from {@code temperature} to this
 * @param topK             draw from that many of the most likely tokens; 0 from all
 * @param topP             draw from the fewest most likely tokens that together have this probability; 1 from all
 * @param seed             of the random generator: the same seed gives the same text; empty for a new one each time
 * @param specialTokens    whether special tokens ([SEP], [MASK], ...) may be written
 * @param iterations       how often {@link MaskStrategy#GIBBS} gives a position a new token
 * @param burnIn           how many of these iterations always draw; afterwards, if there is no top-k, the most likely
 *                         token is taken, as in the authors' program (github.com/nyu-dl/bert-gen, {@code
 *                         parallel_sequential_generation})
 * @param order            in which {@link MaskStrategy#GIBBS} goes through the positions
 */
public record MaskGenerationOptions(MaskStrategy strategy, int masks, int maxNewTokens, List<String> stopTokens,
        boolean greedy, double temperature, double finalTemperature, int topK, double topP, OptionalLong seed,
        boolean specialTokens, int iterations, int burnIn, ResampleOrder order) {

    public MaskGenerationOptions {
        Objects.requireNonNull(strategy, "strategy");
        Objects.requireNonNull(seed, "seed");
        Objects.requireNonNull(order, "order");
        if (masks < 1) {
            throw new IllegalArgumentException("masks is " + masks + "; expected 1 or more");
        }
        requireNotNegative("maxNewTokens", maxNewTokens);
        requireNotNegative("topK", topK);
        requireNotNegative("iterations", iterations);
        requireNotNegative("burnIn", burnIn);
        requireTemperature("temperature", temperature);
        requireTemperature("finalTemperature", finalTemperature);
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("topP is " + topP + "; expected a number above 0 and up to 1");
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
        return new MaskGenerationOptions(MaskStrategy.SEQUENTIAL, 3, 15, List.of(".", "?", "!"), true, 1, 1, 0, 1,
                OptionalLong.empty(), false, 0, 0, ResampleOrder.RANDOM);
    }

    /** The naive way, to compare with: one mask at the end, over and over, with nothing that ends the text. */
    public static MaskGenerationOptions append() {
        return sequential().withStrategy(MaskStrategy.APPEND).withStopTokens();
    }

    /**
     * What the authors' program has: 500 iterations at random positions, tokens drawn from the 100 most likely ones.
     */
    public static MaskGenerationOptions gibbs() {
        return sequential().withStrategy(MaskStrategy.GIBBS).withGreedy(false).withTopK(100).withIterations(500)
                .withBurnIn(200);
    }

    /**
     * The samplers that these options describe, in Hugging Face's order: temperature, top-k, top-p, then the choice.
     *
     * @param randomSeed used if the options have no seed
     */
    public Sampler sampler(long randomSeed) {
        return greedy
                ? new Greedy()
                : chain(temperature == 1 ? List.of() : List.of(new Temperature(temperature)), randomSeed);
    }

    /**
     * The samplers of {@link MaskStrategy#GIBBS}, which count its iterations by the tokens they accept: the temperature
     * changes, and behind the burn-in the most likely token is taken if there is no top-k.
     *
     * @param randomSeed used if the options have no seed
     */
    public Sampler resampler(long randomSeed) {
        if (greedy) {
            return new Greedy();
        }
        Sampler drawing = chain(List.of(new AnnealedTemperature(temperature, finalTemperature, iterations)),
                randomSeed);
        return topK > 0 ? drawing : new BurnIn(drawing, burnIn);
    }

    private SamplerChain chain(List<Sampler> first, long randomSeed) {
        List<Sampler> samplers = new ArrayList<>(first);
        if (topK > 0) {
            samplers.add(new TopK(topK));
        }
        if (topP < 1) {
            samplers.add(new TopP(topP));
        }
        samplers.add(new Multinomial(seed.orElse(randomSeed)));
        return new SamplerChain(samplers);
    }

    public MaskGenerationOptions withStrategy(MaskStrategy strategy) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withMasks(int masks) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withMaxNewTokens(int maxNewTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withStopTokens(String... stopTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, List.of(stopTokens), greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withGreedy(boolean greedy) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    /** The same temperature from the first iteration to the last. */
    public MaskGenerationOptions withTemperature(double temperature) {
        return withAnnealing(temperature, temperature);
    }

    /** A temperature that changes evenly from the first iteration of {@link MaskStrategy#GIBBS} to the last. */
    public MaskGenerationOptions withAnnealing(double temperature, double finalTemperature) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withTopK(int topK) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withTopP(double topP) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withSeed(long seed) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, OptionalLong.of(seed), specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withSpecialTokens(boolean specialTokens) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withIterations(int iterations) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withBurnIn(int burnIn) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }

    public MaskGenerationOptions withOrder(ResampleOrder order) {
        return new MaskGenerationOptions(strategy, masks, maxNewTokens, stopTokens, greedy, temperature,
                finalTemperature, topK, topP, seed, specialTokens, iterations, burnIn, order);
    }
}
