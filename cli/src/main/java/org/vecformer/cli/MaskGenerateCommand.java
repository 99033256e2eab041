package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.MaskStrategy;
import org.vecformer.engine.generation.ResampleOrder;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.task.MaskGenerator;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Text written by filling masks. */
@Command(name = "mask-generate", abbreviateSynopsis = true, description = {
    "Writes text with a BERT, which only fills gaps: mask by mask.",
    ""}, sortOptions = false, footer = {
        "",
        "sequential puts --masks masks behind the (last) text and fills the first of them, again and "
                + "again; append does so with one mask, the naive way, to compare with; both are greedy if nothing "
                + "else is said. gibbs puts --max-new-tokens masks behind the text, or takes those that it has, and "
                + "gives each of them new tokens over and over (Wang and Cho, 2019); with --max-new-tokens 0 and no "
                + "mask the text itself is changed. It draws tokens if nothing else is said.",
        "Example: java -jar gpt2.jar mask-generate \"Bob is a good man.\" --pair \"He has\" --model "
                + "bert-base-uncased",
        "Example: java -jar gpt2.jar mask-generate \"\" --strategy gibbs --seed 7 --model bert-base-uncased",
        "--json writes "
                + "{\"prompt_ids\":[],\"sequences\":[{\"text\":\"\",\"ids\":[],\"finish_reason\":\"length\"}],\"timing\":{}} as "
                + "generate does; finish_reason is length, stop or cancelled. Of gibbs text and ids are the whole "
                + "text without special tokens, else what was written.",
        "With --jsonl a line is {\"text\":\"...\",\"pair\":\"...\"} or "
                + "{\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]}; every line starts from the same seed."})
final class MaskGenerateCommand implements Callable<Integer> {
    @Mixin
    PairOptions text = new PairOptions();

    @Option(names = "--strategy", paramLabel = "sequential|append|gibbs", defaultValue = "sequential", description = "how masks become text (default: ${DEFAULT-VALUE})")
    Strategy strategy;

    @Option(names = "--masks", paramLabel = "N", description = "sequential: how many masks stand behind the text (default: 3)")
    Integer masks;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "15", description = "write at most so many tokens; gibbs: put so many masks behind the text (default: ${DEFAULT-VALUE})")
    int maxNewTokens;

    @Option(names = "--stop-tokens", paramLabel = "TOKENS", description = "sequential, append: tokens that end the text, with spaces between them; empty for none (default: \". ? !\" for sequential, none for append)")
    String stopTokens;

    @Option(names = "--iterations", paramLabel = "N", description = "gibbs: how often a token is replaced (default: 500)")
    Integer iterations;

    @Option(names = "--burn-in", paramLabel = "N", description = "gibbs: so many iterations always draw; behind them, if --top-k is 0, the most likely token is taken (default: 200)")
    Integer burnIn;

    @Option(names = "--order", paramLabel = "random|left-to-right", description = "gibbs: which token is replaced next (default: random)")
    String order;

    @Option(names = "--final-temperature", paramLabel = "T", description = "gibbs: the temperature changes evenly from --temperature to this (default: it stays)")
    Double finalTemperature;

    @Mixin
    DrawOptions draw = new DrawOptions();

    @Mixin
    PenaltyOptions penalties = new PenaltyOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    MaskGenerateCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    /** The strategies, as the command line spells them. */
    enum Strategy {
        sequential, append, gibbs
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        text.check(run.output.jsonl);
        draw.check();
        penalties.check();
        checkStrategy();
        Values.atLeast(0, "--max-new-tokens", maxNewTokens);
        Values.atLeast(1, "--masks", masks);
        Values.atLeast(1, "--iterations", iterations);
        Values.atLeast(0, "--burn-in", burnIn);
        Values.check("--final-temperature", finalTemperature, Values.isPositive(finalTemperature),
                DrawOptions.TEMPERATURE);
        if (draw.greedy && finalTemperature != null) {
            throw new UsageException("--greedy draws no tokens; --final-temperature does not go with it");
        }
        MaskGenerationOptions options = options();
        Input input = text.read(streams.in());
        int status = run.run("mask-generate", context, input, LineShape.ENCODER, true,
                loaded -> new Task(loaded, options));
        if (!run.common.quiet && !options.greedy() && draw.seed == null) {
            streams.err().println(
                    "gpt2 mask-generate: --seed " + options.seed().getAsLong() + " gives the same again");
        }
        return status;
    }

    private void checkStrategy() {
        if (strategy != Strategy.gibbs) {
            refuse("--iterations", iterations);
            refuse("--burn-in", burnIn);
            refuse("--order", order);
            refuse("--final-temperature", finalTemperature);
        } else {
            refuse("--stop-tokens", stopTokens);
        }
        if (strategy != Strategy.sequential) {
            refuse("--masks", masks);
        }
    }

    private void refuse(String option, Object value) {
        if (value != null) {
            throw new UsageException(option + " does not go with --strategy " + strategy);
        }
    }

    private MaskGenerationOptions options() {
        MaskGenerationOptions options = switch (strategy) {
            case sequential -> MaskGenerationOptions.sequential();
            case append -> MaskGenerationOptions.append();
            case gibbs -> MaskGenerationOptions.gibbs();
        };
        options = options.withMaxNewTokens(maxNewTokens)
                .withGreedy(draw.greedy || options.greedy() && !draw.given());
        if (masks != null) {
            options = options.withMasks(masks);
        }
        if (stopTokens != null) {
            options = options.withStopTokens(
                    Arrays.stream(stopTokens.strip().split("\\s+")).filter(t -> !t.isEmpty()).toArray(String[]::new));
        }
        if (iterations != null) {
            options = options.withIterations(iterations);
        }
        if (burnIn != null) {
            options = options.withBurnIn(burnIn);
        }
        if (order != null) {
            options = options.withOrder(order());
        }
        options = options.withSampling(draw::apply).withSampling(penalties::apply);
        double first = draw.temperature == null ? options.temperature() : draw.temperature;
        options = options.withAnnealing(first, finalTemperature == null ? first : finalTemperature);
        return options.greedy() ? options : options.withSeed(draw.seedOrNew());
    }

    private ResampleOrder order() {
        return switch (order) {
            case "random" -> ResampleOrder.RANDOM;
            case "left-to-right" -> ResampleOrder.LEFT_TO_RIGHT;
            default -> throw new UsageException("--order is '" + order + "'; expected random or left-to-right");
        };
    }

    private final class Task implements InputTask<Input, GenerationResult> {
        private final LoadedBert loaded;
        private final MaskGenerationOptions options;
        private final MaskGenerator generator;
        private int shown;
        private GenerationResult last;

        Task(LoadedBert loaded, MaskGenerationOptions options) throws CommandException {
            this.loaded = loaded;
            if (loaded.tokenizer() == null) {
                throw new CommandException("the model " + loaded.name()
                        + " has no tokenizer files; they name the mask that mask-generate puts into a text");
            }
            this.options = stopTokens == null ? withKnownStops(options) : options;
            generator = MaskGenerator.open(loaded.bert(), loaded.tokenizer());
        }

        /** Of the stop tokens that nobody asked for, those that the model has. */
        private MaskGenerationOptions withKnownStops(MaskGenerationOptions all) {
            return all.withStopTokens(all.stopTokens().stream()
                    .filter(token -> loaded.tokenizer().id(token).isPresent()).toArray(String[]::new));
        }

        @Override
        public List<GenerationResult> run(List<Input> inputs, TaskProgress progress) throws IOException {
            boolean streaming = !run.output.json && !run.output.jsonl && options.strategy() != MaskStrategy.GIBBS;
            int[] steps = new int[1];
            int most = options.strategy() == MaskStrategy.GIBBS ? options.iterations() : options.maxNewTokens();
            TokenListener listener = token -> {
                // A bar and a text on one terminal would write into each other.
                progress.done(streaming ? 0 : ++steps[0], streaming ? 1 : most);
                if (streaming) {
                    show(token.text());
                }
            };
            List<GenerationResult> results = new ArrayList<>();
            try {
                for (var input : loaded.forTask(inputs)) {
                    last = generator.generate(input, options, listener);
                    results.add(last);
                }
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            return results;
        }

        private void show(String piece) {
            try {
                streams.out().print(piece);
                streams.out().flush();
                shown += piece.length();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** One at a time, so that each is written as soon as it is there. */
        @Override
        public int batchTokens() {
            return 0;
        }

        @Override
        public void cancel() {
            generator.cancel();
        }

        @Override
        public void write(JsonGenerator json, Input input, GenerationResult result) throws IOException {
            GenerationJson.write(json, result, loaded.tokenizer(), false, loaded.loadSeconds());
        }

        @Override
        public void print(StandardOutput out, Input input, GenerationResult result) throws IOException {
            out.println(result.text().substring(Math.min(shown, result.text().length())));
        }

        @Override
        public String summary(int inputs, double seconds) {
            return inputs == 1
                    ? GenerationJson.summary(last, last.timing().generatedTokens())
                    : InputTask.super.summary(inputs, seconds);
        }

        @Override
        public void close() {
            generator.close();
        }
    }
}
