package org.vecformer.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.yardstick.Limit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prompt and generation speed, as such and as a share of what the machine can do. */
@Command(name = "bench", description = {
    "Measures how fast prompts are read (pp) and tokens generated (tg), in tokens per second, and what share that is of "
            + "the limit of what computes: generating reads all weights for each token, reading a prompt multiplies and "
            + "adds. Both limits are measured before and after each test, on the CPU with vectors and the same threads, on "
            + "a device with kernels of its own.",
    ""}, sortOptions = false, footer = {
        "", "Example: java -jar gpt2.jar bench -p 128 -n 64 -r 5",
        "The spread is from the least to the most of the repetitions; --json has the standard deviation too.",
        "A test of a batch is named after it (tg64b4); its tokens are those of all sequences together.",
        "A BERT has no test of generation: its pp is the speed of the encoder.",
        "An OpenCL device may be a CPU (PoCL): it is named with each table, and its speeds say nothing of a GPU."})
final class BenchCommand implements Callable<Integer> {
    private static final int DEFAULT_NEW_TOKENS = 64;

    @Option(names = "-p", paramLabel = "TOKENS", defaultValue = "128", description = "tokens of the prompt, 0 for no such test (default: ${DEFAULT-VALUE})")
    int prompt;

    @Option(names = "-n", paramLabel = "TOKENS", description = "tokens to generate, 0 for no such test (default: 64; a BERT generates none)")
    Integer generate;

    @Option(names = "-b", paramLabel = "BATCH", defaultValue = "1", description = "sequences at once (default: ${DEFAULT-VALUE})")
    int batchSize;

    @Option(names = "-r", paramLabel = "N", defaultValue = "5", description = "repetitions of each test (default: ${DEFAULT-VALUE})")
    int repetitions;

    @Option(names = "--profile", description = "after each test, the time of each of the device's kernels (with --device gpu or opencl:N; tests are slower then)")
    boolean profile;

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
        if (profile && compute.engine().device() instanceof DeviceChoice.Cpu) {
            throw new UsageException(
                    "--profile tells the time of a device's kernels; it needs --device gpu or --device opencl:N");
        }
        compute.profiling = profile;
        try (LoadedModel loaded = new ModelRequest("bench", model.model, compute, common, context, true).any()) {
            boolean decoder = loaded instanceof LoadedGpt;
            refuseGenerating(loaded, decoder);
            int longest = decoder ? Math.max(prompt, newTokens()) : prompt;
            if (longest > loaded.contextLength()) {
                throw new CommandException("a test of " + longest
                        + " tokens does not fit; the model's context length is " + loaded.contextLength());
            }
            warmUp(loaded);
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 bench: %s, loaded in %.2f s, %d repetitions",
                        loaded.engine().description(), loaded.loadSeconds(), repetitions));
            }
            if (!output.json) {
                if (loaded.engine().device().isPresent()) {
                    streams.out().println(named(loaded.engine().device().get()));
                }
                streams.out().println(BenchResult.HEADER);
            }
            String suffix = batchSize == 1 ? "" : "b" + batchSize;
            // A run ends at its next step then, and this thread before the process.
            try (Interruption.Scope _ = interruption.during(() -> {
            });
                    BenchRuns runs = BenchRuns.of(loaded, batchSize, longest, interruption::requested);
                    BenchMeasurement measurement = new BenchMeasurement(loaded.engine(), repetitions, profile,
                            interruption::requested, progress())) {
                if (prompt > 0) {
                    show(loaded, measurement.run(new BenchTest("pp" + prompt + suffix, (long) prompt * batchSize,
                            () -> runs.readPrompts(prompt), Limit.FMA_PEAK, runs.flopsPerPromptToken(prompt),
                            decoder)));
                }
                if (decoder && newTokens() > 0) {
                    show(loaded, measurement.run(new BenchTest("tg" + newTokens() + suffix,
                            (long) newTokens() * batchSize, () -> runs.generate(newTokens()), Limit.READ_BANDWIDTH,
                            runs.bytesPerNewToken(), false)));
                }
                if (!common.quiet) {
                    measurement.missing().ifPresent(
                            why -> streams.err().println("gpt2 bench: no share of the limits: " + why));
                }
            }
        }
        return Cli.DONE;
    }

    /** Above a table, because tables are copied: which device it is about, and what it is not. */
    private static String named(ComputeDevice device) {
        String name = String.format(Locale.ROOT, "opencl:%d, %s (%s, driver %s)", device.index(), device.name(),
                device.platform(), device.driver());
        return device.type() == ComputeDevice.Type.CPU
                ? name + ": an OpenCL device that is a CPU; these are no speeds of a GPU"
                : name;
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

    private BenchMeasurement.Progress progress() {
        return common.quiet || !streams.terminal()
                ? BenchMeasurement.Progress.NONE
                : BenchMeasurement.Progress.on(streams.err());
    }

    /** An interrupted test has no result. */
    private void show(LoadedModel loaded, Optional<BenchResult> result) throws IOException {
        if (result.isEmpty()) {
            return;
        }
        if (output.json) {
            JsonResult.line(streams.out(), json -> result.get().write(json, loaded));
        } else {
            streams.out().println(result.get().text(loaded));
            streams.out().flush();
        }
    }
}
