package org.vecformer.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prompt and generation speed. */
@Command(name = "bench", description = {
    "Measures how fast prompts are read (pp) and tokens generated (tg), in tokens per second.",
    ""}, sortOptions = false, footer = {
        "", "Example: java -jar gpt2.jar bench -p 128 -n 64 -r 5",
        "A test of a batch is named after it (tg64b4); its tokens are those of all sequences together.",
        "A BERT has no test of generation: its pp is the speed of the encoder."})
final class BenchCommand implements Callable<Integer> {
    private static final int DEFAULT_NEW_TOKENS = 64;
    private static final long WARM_UP_NANOS = 1_500_000_000;
    private static final int MOST_WARM_UPS = 500;

    @Option(names = "-p", paramLabel = "TOKENS", defaultValue = "128", description = "tokens of the prompt, 0 for no such test (default: ${DEFAULT-VALUE})")
    int prompt;

    @Option(names = "-n", paramLabel = "TOKENS", description = "tokens to generate, 0 for no such test (default: 64; a BERT generates none)")
    Integer generate;

    @Option(names = "-b", paramLabel = "BATCH", defaultValue = "1", description = "sequences at once (default: ${DEFAULT-VALUE})")
    int batchSize;

    @Option(names = "-r", paramLabel = "N", defaultValue = "5", description = "repetitions of each test (default: ${DEFAULT-VALUE})")
    int repetitions;

    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    JsonOption output = new JsonOption();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Context context;
    private final Streams streams;
    private final Interruption interruption;

    BenchCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
        this.interruption = context.interruption();
    }

    @Override
    public Integer call() throws IOException {
        check("-p", prompt, 0);
        check("-n", newTokens(), 0);
        check("-b", batchSize, 1);
        check("-r", repetitions, 1);
        if (prompt == 0 && newTokens() == 0) {
            throw new UsageException("-p 0 and -n 0 leave nothing to measure");
        }
        try (LoadedModel loaded = new ModelRequest("bench", model.model, compute, common, context, true).any()) {
            boolean decoder = loaded instanceof LoadedGpt2;
            refuseGenerating(loaded, decoder);
            int longest = decoder ? Math.max(prompt, newTokens()) : prompt;
            if (longest > loaded.contextLength()) {
                throw new CommandException("a test of " + longest
                        + " tokens does not fit; the model's context length is " + loaded.contextLength());
            }
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 bench: %s, loaded in %.2f s, %d repetitions",
                        loaded.engine().description(), loaded.loadSeconds(), repetitions));
            }
            if (!output.json) {
                streams.out()
                        .println(String.format(Locale.ROOT, "%-24s %-7s %-8s %7s %-10s %s", "model", "weights",
                                "backend", "threads", "test",
                                "tokens per second"));
            }
            warmUp(loaded);
            String suffix = batchSize == 1 ? "" : "b" + batchSize;
            try (BenchRuns runs = BenchRuns.of(loaded, batchSize, longest)) {
                if (prompt > 0) {
                    measure(loaded, "pp" + prompt + suffix, prompt, () -> runs.readPrompts(prompt));
                }
                if (decoder && newTokens() > 0) {
                    measure(loaded, "tg" + newTokens() + suffix, newTokens(), () -> runs.generate(newTokens()));
                }
            }
        }
        return Cli.DONE;
    }

    private int newTokens() {
        return generate == null ? DEFAULT_NEW_TOKENS : generate;
    }

    private void refuseGenerating(LoadedModel loaded, boolean decoder) {
        if (!decoder && generate != null && generate > 0) {
            throw new UsageException("-n " + generate + " generates tokens, and the model " + loaded.name()
                    + " is a BERT: it has only the test of -p");
        }
        if (!decoder && prompt == 0) {
            throw new UsageException("-p 0 leaves nothing to measure of a BERT");
        }
    }

    private static void warmUp(LoadedModel loaded) throws InterruptedIOException {
        try {
            loaded.engine().awaitWarmUp();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the kernels were compiled");
        }
    }

    private static void check(String name, int value, int least) {
        if (value < least) {
            throw new UsageException(name + " is " + value + "; expected at least " + least);
        }
    }

    private void measure(LoadedModel loaded, String test, int tokens, Runnable run) throws IOException {
        // The first runs are for the compiler: it takes a second or so of them until it has done its best.
        long warm = System.nanoTime() + WARM_UP_NANOS;
        for (int i = 0; i < MOST_WARM_UPS && (i == 0 || System.nanoTime() - warm < 0); i++) {
            run.run();
        }
        double[] speeds = new double[repetitions];
        for (int i = 0; i < repetitions; i++) {
            if (interruption.requested()) {
                return;
            }
            long start = System.nanoTime();
            run.run();
            speeds[i] = (double) tokens * batchSize / ((System.nanoTime() - start) / 1e9);
        }
        double mean = mean(speeds);
        double deviation = deviation(speeds, mean);
        if (output.json) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("model", loaded.name());
                json.writeStringField("weights", loaded.weights());
                json.writeStringField("backend", loaded.engine().backend());
                json.writeNumberField("threads", loaded.engine().threads());
                json.writeStringField("test", test);
                json.writeNumberField("tokens_per_second", mean);
                json.writeNumberField("stddev", deviation);
                json.writeEndObject();
            });
        } else {
            streams.out()
                    .println(String.format(Locale.ROOT, "%-24s %-7s %-8s %7d %-10s %.2f +- %.2f", loaded.name(),
                            loaded.weights(),
                            loaded.engine().backend(), loaded.engine().threads(), test, mean, deviation));
            streams.out().flush();
        }
    }

    static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    /** The sample's standard deviation; 0 for a single value. */
    static double deviation(double[] values, double mean) {
        double sum = 0;
        for (double value : values) {
            sum += (value - mean) * (value - mean);
        }
        return values.length < 2 ? 0 : Math.sqrt(sum / (values.length - 1));
    }
}
