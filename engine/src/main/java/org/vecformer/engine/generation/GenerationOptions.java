package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.loader.GenerationConfig;

/**
 * How to continue a text. Immutable; each {@code with} method gives a changed copy.
 *
 * <pre>{@code
 * GenerationOptions options = GenerationOptions.defaults()
 *         .withMaxNewTokens(60)
 *         .withStrategy(DecodingStrategy.random(7))
 *         .withSampling(s -> s.temperature(0.8).topK(40).repetitionPenalty(1.1))
 *         .withStopTexts("\n\n");
 * }</pre>
 *
 * @param strategy        how tokens are chosen
 * @param sampling        what is done with the logits before; what only shapes a distribution to draw from is not used
 *                        where no token is drawn
 * @param stopping        where the text ends
 * @param returnSequences how many continuations of each prompt; of beams not more than there are
 * @param drafting        guesses that make it faster; for one sequence that is not a beam
 * @param guidance        away from a negative prompt; not with drafts
 * @param logprobs        to tell for each token its log-probability and the so many most likely ones; empty for neither
 * @param truncatePrompt  drop the beginning of a prompt that is too long, instead of refusing it
 * @param useCache        keep keys and values from token to token; without, everything is computed again for each, with
 *                        the same result
 */
public record GenerationOptions(DecodingStrategy strategy, Sampling sampling, Stopping stopping, int returnSequences,
        Optional<Drafting> drafting, Optional<Guidance> guidance, OptionalInt logprobs, boolean truncatePrompt,
        boolean useCache) {

    public GenerationOptions {
        Objects.requireNonNull(strategy, "strategy");
        Objects.requireNonNull(sampling, "sampling");
        Objects.requireNonNull(stopping, "stopping");
        if (returnSequences < 1) {
            throw new IllegalArgumentException(
                    "the number of sequences to return is " + returnSequences + "; expected 1 or more");
        }
        if (logprobs.isPresent() && logprobs.getAsInt() < 0) {
            throw new IllegalArgumentException("logprobs is " + logprobs.getAsInt() + "; expected 0 or more");
        }
    }

    /** Refuses what does not go together; asked when a generation starts, as options are put together one by one. */
    void check() {
        switch (strategy) {
            case DecodingStrategy.GreedySearch _ when returnSequences > 1 -> throw new IllegalArgumentException(
                    "greedy search has one result, and " + returnSequences + " sequences were asked for: draw tokens"
                            + " or use beams");
            case DecodingStrategy.ContrastiveSearch _ when returnSequences > 1 -> throw new IllegalArgumentException(
                    "contrastive search has one result, and " + returnSequences + " sequences were asked for");
            case DecodingStrategy.BeamSearch beams when returnSequences > beams.beams() ->
                throw new IllegalArgumentException(returnSequences + " sequences were asked for of " + beams.beams()
                        + " beams; expected at most as many");
            case DecodingStrategy.BeamSearch beams when beams.draws() && !sampling.drawsPlainly() ->
                throw new IllegalArgumentException(
                        "mirostat draws the tokens of one sequence; beams cannot be drawn by it");
            default -> {
            }
        }
        if (drafting.isPresent()) {
            if (strategy instanceof DecodingStrategy.BeamSearch
                    || strategy instanceof DecodingStrategy.ContrastiveSearch) {
                throw new IllegalArgumentException(
                        "drafts are for greedy search and random sampling, not for beams and contrastive search");
            }
            if (returnSequences > 1 || guidance.isPresent() || !useCache) {
                throw new IllegalArgumentException(
                        "drafts are for one sequence, with a cache and without guidance");
            }
        }
        if (guidance.isPresent() && strategy instanceof DecodingStrategy.ContrastiveSearch) {
            throw new IllegalArgumentException("contrastive search has no guidance");
        }
    }

    /** Greedy, until the context is full; no end token. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(DecodingStrategy.greedy(), Sampling.none(), Stopping.whenFull(), 1,
                Optional.empty(), Optional.empty(), OptionalInt.empty(), false, true);
    }

    /**
     * What a model's authors recommend, with Hugging Face's defaults for what they leave open: greedy unless {@code
     * do_sample}, and then the 50 most likely tokens.
     *
     * @param fallbackEndTokens the end tokens if the generation config names none: those of the model's config
     */
    public static GenerationOptions recommended(GenerationConfig config, List<Integer> fallbackEndTokens) {
        return new Recommendation(config, fallbackEndTokens).options();
    }

    /**
     * The seed of one of several sequences: the first has the given one, the i-th of the others the i-th number of
     * {@code new SplittableRandom(seed)}. Each draws from a {@link SplittableRandom} of its seed, so its text does not
     * depend on how many there are.
     */
    public static long seedOf(long seed, int sequence) {
        if (sequence == 0) {
            return seed;
        }
        SplittableRandom random = new SplittableRandom(seed);
        long own = 0;
        for (int i = 0; i < sequence; i++) {
            own = random.nextLong();
        }
        return own;
    }

    public GenerationOptions withStrategy(DecodingStrategy strategy) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    public GenerationOptions withSampling(Sampling sampling) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    /** With a change to the sampling. */
    public GenerationOptions withSampling(UnaryOperator<Sampling> change) {
        return withSampling(change.apply(sampling));
    }

    public GenerationOptions withStopping(Stopping stopping) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    public GenerationOptions withReturnSequences(int returnSequences) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    public GenerationOptions withDrafting(Drafting drafting) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, Optional.of(drafting), guidance,
                logprobs, truncatePrompt, useCache);
    }

    public GenerationOptions withGuidance(Guidance guidance) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, Optional.of(guidance),
                logprobs, truncatePrompt, useCache);
    }

    public GenerationOptions withLogprobs(int logprobs) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance,
                OptionalInt.of(logprobs), truncatePrompt, useCache);
    }

    public GenerationOptions withTruncatePrompt(boolean truncatePrompt) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    public GenerationOptions withUseCache(boolean useCache) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache);
    }

    /** Draws tokens with this seed, or beams if these are drawn. */
    public GenerationOptions withSeed(long seed) {
        return withStrategy(strategy.drawsTokens() ? strategy.withSeed(seed) : DecodingStrategy.random(seed));
    }

    public GenerationOptions withMaxNewTokens(int maxNewTokens) {
        return withStopping(stopping.withMaxNewTokens(maxNewTokens));
    }

    public GenerationOptions withMaxLength(int maxLength) {
        return withStopping(stopping.withMaxLength(maxLength));
    }

    public GenerationOptions withEndTokens(Integer... endTokens) {
        return withStopping(stopping.withEndTokens(Arrays.asList(endTokens)));
    }

    public GenerationOptions withStopTexts(String... stopTexts) {
        return withStopping(stopping.withStopTexts(List.of(stopTexts)));
    }
}
