package org.vecformer.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prompt and generation speed. */
@Command(name = "bench", description = {
    "Measures how fast prompts are read (pp) and tokens generated (tg), in tokens per second.",
    ""}, sortOptions = false, footer = {
        "", "Example: java -jar gpt2.jar bench -p 128 -n 64 -r 5",
        "A test of a batch is named after it (tg64b4); its tokens are those of all sequences together."})
final class BenchCommand implements Callable<Integer> {
    private static final int STEP_ROWS = 128;
    private static final long WARM_UP_NANOS = 1_500_000_000;
    private static final int MOST_WARM_UPS = 30;

    @Option(names = "-p", paramLabel = "TOKENS", defaultValue = "128", description = "tokens of the prompt, 0 for no such test (default: ${DEFAULT-VALUE})")
    int prompt;

    @Option(names = "-n", paramLabel = "TOKENS", defaultValue = "64", description = "tokens to generate, 0 for no such test (default: ${DEFAULT-VALUE})")
    int generate;

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
        check("-n", generate, 0);
        check("-b", batchSize, 1);
        check("-r", repetitions, 1);
        if (prompt == 0 && generate == 0) {
            throw new UsageException("-p 0 and -n 0 leave nothing to measure");
        }
        try (LoadedGpt2 loaded = new ModelRequest("bench", model.model, compute, common, context).gpt2("generate")) {
            int longest = Math.max(prompt, generate);
            if (longest > loaded.gpt2().config().contextLength()) {
                throw new CommandException(
                        "a test of " + longest + " tokens does not fit; the model's context length is "
                                + loaded.gpt2().config().contextLength());
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
            SessionOptions options = new SessionOptions((long) batchSize * roundUp(longest),
                    Math.max(STEP_ROWS, batchSize));
            try (Session session = loaded.gpt2().openSession(options)) {
                String suffix = batchSize == 1 ? "" : "b" + batchSize;
                if (prompt > 0) {
                    measure(loaded, "pp" + prompt + suffix, prompt, () -> readPrompts(session));
                }
                if (generate > 0) {
                    measure(loaded, "tg" + generate + suffix, generate, () -> generate(session));
                }
            }
        }
        return Cli.DONE;
    }

    private static void warmUp(LoadedGpt2 loaded) throws InterruptedIOException {
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

    /** The cache gives memory to sequences in whole pages. */
    private static int roundUp(int tokens) {
        return Math.ceilDiv(tokens, 256) * 256;
    }

    private void measure(LoadedGpt2 loaded, String test, int tokens, Runnable run) throws IOException {
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

    private void readPrompts(Session session) {
        int[] ids = randomIds(session, prompt);
        List<Sequence> sequences = open(session);
        try {
            Batch batch = session.batch();
            batch.clear();
            for (Sequence sequence : sequences) {
                for (int from = 0; from < prompt;) {
                    if (batch.room() == 0) {
                        session.step(batch);
                        batch.clear();
                    }
                    int to = Math.min(prompt, from + batch.room());
                    batch.add(sequence, ids, from, to, to == prompt ? Logits.LAST : Logits.NONE);
                    from = to;
                }
            }
            session.step(batch);
        } finally {
            sequences.forEach(Sequence::close);
        }
    }

    private void generate(Session session) {
        int[] ids = randomIds(session, generate);
        List<Sequence> sequences = open(session);
        try {
            Batch batch = session.batch();
            for (int i = 0; i < generate; i++) {
                batch.clear();
                for (Sequence sequence : sequences) {
                    batch.add(sequence, ids, i, i + 1, Logits.LAST);
                }
                session.step(batch);
            }
        } finally {
            sequences.forEach(Sequence::close);
        }
    }

    private List<Sequence> open(Session session) {
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < batchSize; i++) {
            sequences.add(session.newSequence());
        }
        return sequences;
    }

    /** Which ids they are makes no difference to the speed. */
    private static int[] randomIds(Session session, int count) {
        SplittableRandom random = new SplittableRandom(1);
        return random.ints(count, 0, session.model().config().vocabularySize()).toArray();
    }
}
