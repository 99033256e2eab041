package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.model.Gpt;
import org.vecformer.loader.GenerationConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * How the continuation is chosen and where it ends. What is not given is as the model's generation_config.json
 * recommends.
 */
final class GenerateOptions {
    @Mixin
    StopOptions stop = new StopOptions();

    @Mixin
    DrawOptions draw = new DrawOptions();

    @Mixin
    PenaltyOptions penalties = new PenaltyOptions();

    @Mixin
    DryOptions dry = new DryOptions();

    @Mixin
    TokenOptions tokens = new TokenOptions();

    @Mixin
    StrategyOptions strategy = new StrategyOptions();

    @Mixin
    GuidanceOptions guidance = new GuidanceOptions();

    @Mixin
    ConstraintOptions constraint = new ConstraintOptions();

    @Mixin
    SpeedOptions speed = new SpeedOptions();

    @Option(names = "--truncate", description = "drop the beginning of a prompt that does not fit, instead of refusing it")
    boolean truncate;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        stop.check();
        draw.check();
        penalties.check();
        dry.check();
        tokens.check();
        strategy.check(draw);
        guidance.check();
        constraint.check();
        speed.check();
        if (guidance.scale != null && strategy.penaltyAlpha != null) {
            throw new UsageException(
                    "--penalty-alpha is contrastive search, which has no guidance; --guidance-scale does"
                            + " not go with it");
        }
        if (draw.mirostatTau != null && strategy.beams != null && strategy.beams > 1) {
            throw new UsageException("--mirostat-tau draws the tokens of one text; --num-beams does not go with it");
        }
        if (speed.given()) {
            checkDrafts();
        }
    }

    private void checkDrafts() {
        String other = strategy.beams != null && strategy.beams > 1
                ? "--num-beams"
                : strategy.penaltyAlpha != null
                        ? "--penalty-alpha"
                        : guidance.scale != null
                                ? "--guidance-scale"
                                : strategy.returnSequences != null && strategy.returnSequences > 1
                                        ? "--num-return-sequences"
                                        : null;
        if (other != null) {
            throw new UsageException(speed.name() + " guesses tokens of one text that is written token by token; "
                    + other + " does not go with it");
        }
    }

    /** Reads what is in files or comes from standard input. */
    void read(InputStream in) throws IOException {
        guidance.read(in);
        constraint.read(in);
    }

    /**
     * The options with everything settled: the model's recommendations, what was given, and a seed.
     *
     * @param draft the draft model; null if there is none
     * @throws CommandException if the model lacks something that they need
     * @throws UsageException if they do not go together with what the model's authors recommend
     */
    GenerationOptions resolve(LoadedGpt model, Gpt draft) throws CommandException {
        GenerationOptions options = GenerationOptions.recommended(model.generation(),
                model.gpt().config().eosTokenIds());
        options = stop.apply(options.withSampling(tokens::ordered), model);
        options = strategy.apply(options, draw);
        options = options.withSampling(draw::apply).withSampling(penalties::apply);
        if (draw.temperature != null) {
            options = options.withSampling(sampling -> sampling.temperature(draw.temperature));
        }
        options = options.withSampling(dry.apply(options.sampling(), model));
        options = options.withSampling(tokens.apply(options.sampling(), model));
        options = constraint.apply(guidance.apply(options, model), model);
        tokens.checkOrder(options.sampling());
        options = speed.apply(fitting(options), draft).withTruncatePrompt(truncate);
        return options.strategy().drawsTokens() ? options.withSeed(draw.seedOrNew()) : options;
    }

    /** Without recommendations that do not go together with what was asked for. */
    private GenerationOptions fitting(GenerationOptions options) {
        boolean plain = options.strategy() instanceof DecodingStrategy.GreedySearch
                || options.strategy() instanceof DecodingStrategy.RandomSampling;
        boolean guided = !(options.strategy() instanceof DecodingStrategy.ContrastiveSearch)
                && !(speed.given() && guidance.scale == null);
        boolean drafted = plain && !(guided && options.guidance().isPresent()) && options.returnSequences() == 1
                && !speed.noCache;
        return new GenerationOptions(options.strategy(), options.sampling(), options.stopping(),
                options.returnSequences(), drafted ? options.drafting() : Optional.empty(),
                guided ? options.guidance() : Optional.empty(), options.logprobs(), options.truncatePrompt(),
                options.useCache(), options.tokenTypes(), options.promptCache());
    }

    /** What the model's authors recommend and this build does not have; empty if there is nothing. */
    static List<String> notFollowed(GenerationConfig config) {
        return config.others();
    }
}
