package org.vecformer.engine.generation;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.loader.GenerationConfig;

/**
 * How to continue a text. Immutable; each {@code with} method gives a changed copy.
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="options"}
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
 * @param tokenTypes      what kind of token each one is; for one prompt that is not truncated, without drafts and guidance
 * @param promptCache     what is known from the last generation, and receives what this one leaves; for one prompt,
 *                        greedy search and random sampling without drafts; of several sequences it keeps the first
 */
public record GenerationOptions(DecodingStrategy strategy, Sampling sampling, Stopping stopping, int returnSequences,
        Optional<Drafting> drafting, Optional<Guidance> guidance, OptionalInt logprobs, boolean truncatePrompt,
        boolean useCache, Optional<TokenTypes> tokenTypes, Optional<PromptCache> promptCache) {

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
            if (!isPlain()) {
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
        if (tokenTypes.isPresent() && (drafting.isPresent() || guidance.isPresent() || truncatePrompt)) {
            throw new IllegalArgumentException(
                    "token types are for a prompt that is not truncated, without drafts and guidance");
        }
        if (promptCache.isPresent() && (drafting.isPresent() || !isPlain())) {
            throw new IllegalArgumentException("a prompt cache is for greedy search and random sampling without drafts,"
                    + " not for beams and contrastive search");
        }
    }

    /** Whether each continuation is written on its own, token after token. */
    boolean isPlain() {
        return switch (strategy) {
            case DecodingStrategy.GreedySearch _,DecodingStrategy.RandomSampling _ -> true;
            case DecodingStrategy.BeamSearch _,DecodingStrategy.ContrastiveSearch _ -> false;
        };
    }

    /** Refuses what does not go together with these prompts. */
    void check(List<int[]> prompts, Session session) {
        if ((tokenTypes.isPresent() || promptCache.isPresent()) && prompts.size() != 1) {
            throw new IllegalArgumentException(
                    "token types and a prompt cache are for one prompt, and there are " + prompts.size());
        }
        tokenTypes.ifPresent(
                types -> types.check(prompts.getFirst().length, session.model().config().vocabularySize()));
        promptCache.ifPresent(cache -> cache.check(session));
    }

    /** Greedy, until the context is full; no end token. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(DecodingStrategy.greedy(), Sampling.none(), Stopping.whenFull(), 1,
                Optional.empty(), Optional.empty(), OptionalInt.empty(), false, true, Optional.empty(),
                Optional.empty());
    }

    /**
     * What the authors of this model recommend in its {@code generation_config.json}; end tokens are those of its config if
     * that names none. See {@link #recommended}.
     *
     * @throws IOException if the file cannot be read, or is damaged
     */
    public static GenerationOptions of(Gpt model) throws IOException {
        return recommended(GenerationConfig.read(model.files().generationConfig()), model.config().eosTokenIds());
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
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withSampling(Sampling sampling) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    /** With a change to the sampling. */
    public GenerationOptions withSampling(UnaryOperator<Sampling> change) {
        return withSampling(change.apply(sampling));
    }

    public GenerationOptions withStopping(Stopping stopping) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withReturnSequences(int returnSequences) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withDrafting(Drafting drafting) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, Optional.of(drafting), guidance,
                logprobs, truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withGuidance(Guidance guidance) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, Optional.of(guidance),
                logprobs, truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withLogprobs(int logprobs) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance,
                OptionalInt.of(logprobs), truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withTruncatePrompt(boolean truncatePrompt) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withUseCache(boolean useCache) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, promptCache);
    }

    public GenerationOptions withTokenTypes(TokenTypes tokenTypes) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, Optional.of(tokenTypes), promptCache);
    }

    public GenerationOptions withPromptCache(PromptCache promptCache) {
        return new GenerationOptions(strategy, sampling, stopping, returnSequences, drafting, guidance, logprobs,
                truncatePrompt, useCache, tokenTypes, Optional.of(promptCache));
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
