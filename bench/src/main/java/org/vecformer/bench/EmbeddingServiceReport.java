package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.Embedding;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.EmbeddingBatcherOptions;
import org.vecformer.engine.task.EmbeddingLoad;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.BertWork;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints how many texts a second an embedding service makes vectors of: callers, each of which sends a text when it has
 * the vector of the one before, share an {@link EmbeddingBatcher}; beside them an {@link Embedder} that takes one text
 * after the other. All in one process, in turns, round by round. Vectors are compared too: other bits than alone are a
 * failure.
 */
public final class EmbeddingServiceReport {

    static final int OK = 0;
    static final int DIFFERENT = 1;
    static final int USAGE = 2;

    private static final int MOST_CALLERS = 10_000;
    private static final int MOST_TOKENS = 1 << 20;
    private static final String ALONE = "one at a time";

    private static final String OPTIONS = """
              --model DIR       a BERT (default: random weights of all-MiniLM-L6-v2's shape, made in a temporary folder)
              --weights TYPE    f32, bf16, f16, int8 or int4 (default: f32)
              --backend NAME    vector or scalar (default: vector)
              --callers LIST    how many at once (default: 1,4,16,64)
              --batch-tokens N  most tokens of a run (default: 1024)
              --rounds N        how often everything is measured (default: 5)
              --seconds S       how long each is timed in each round (default: 2)
              --threads N       threads of the engine and of the limit (default: one per processor)
              --json            JSON lines instead of a table
              --help            this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> model, WeightType weights, BackendChoice backend, List<Integer> callers,
            int batchTokens, int rounds, double seconds, int threads, boolean json, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> model = Optional.empty();
            WeightType weights = WeightType.F32;
            BackendChoice backend = BackendChoice.VECTOR;
            List<Integer> callers = List.of(1, 4, 16, 64);
            int batchTokens = EmbeddingBatcherOptions.defaults().maxBatchTokens();
            int rounds = 5;
            double seconds = 2;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--model" -> model = Optional.of(arguments.path());
                    case "--weights" -> {
                        List<WeightType> types = arguments.weights();
                        if (types.size() > 1) {
                            throw new IllegalArgumentException("--weights names several types; expected one");
                        }
                        weights = types.getFirst();
                    }
                    case "--backend" -> backend = arguments.backend();
                    case "--callers" -> callers = arguments.numbers(MOST_CALLERS);
                    case "--batch-tokens" -> batchTokens = arguments.number(MOST_TOKENS);
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--seconds" -> seconds = arguments.seconds();
                    case "--threads" -> threads = arguments.threads();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(model, weights, backend, callers, batchTokens, rounds, seconds, threads, json, help);
        }
    }

    /**
     * What is sent, in turns.
     *
     * @param lengths tokens of each text
     */
    record Texts(String name, List<Integer> lengths) {

        static final List<Texts> ALL = List.of(
                new Texts("queries of 6-24 tokens", List.of(12, 8, 18, 6, 24, 10, 15, 9)),
                new Texts("passages of 32-256 tokens", List.of(128, 64, 200, 32, 256, 96, 160, 80)));

        /** Random ids; not 0, which is BERT's padding. */
        List<TaskInput> inputs(int vocabulary) {
            SplittableRandom random = new SplittableRandom(1);
            return lengths.stream()
                    .map(length -> TaskInput.of(EncoderInput.of(random.ints(length, 1, vocabulary).toArray())))
                    .toList();
        }
    }

    /**
     * What was sent in one go.
     *
     * @param seconds until the last answer
     * @param nanos   that each call took
     */
    private record Calls(double seconds, long tokens, long runs, long[] nanos) {}

    /** What all rounds gave for a number of callers. */
    private static final class Line {
        private final String name;
        /** 0 for the embedder that takes one text after the other. */
        private final int callers;
        private final double[] texts;
        private final double[] tokens;
        private final List<Calls> rounds = new ArrayList<>();

        Line(int callers, int rounds) {
            this.callers = callers;
            name = callers == 0 ? ALONE : callers == 1 ? "1 caller" : callers + " callers";
            texts = new double[rounds];
            tokens = new double[rounds];
        }

        void add(Calls calls) {
            texts[rounds.size()] = calls.nanos.length / calls.seconds;
            tokens[rounds.size()] = calls.tokens / calls.seconds;
            rounds.add(calls);
        }

        Samples texts() {
            return new Samples(texts);
        }

        Samples tokens() {
            return new Samples(tokens);
        }

        double textsARun() {
            return (double) rounds.stream().mapToLong(calls -> calls.nanos.length).sum()
                    / rounds.stream().mapToLong(Calls::runs).sum();
        }

        /** Milliseconds that a call took which was slower than this share of them. */
        double latency(double share) {
            long[] all = rounds.stream().flatMapToLong(calls -> LongStream.of(calls.nanos)).sorted().toArray();
            return all[(int) Math.min(all.length - 1, (long) (share * all.length))] / 1e6;
        }
    }

    private final Options options;
    private final Engine engine;
    private final Bert model;
    private final Limits limits;
    private final PrintStream out;

    private EmbeddingServiceReport(Options options, Engine engine, Bert model, Limits limits, PrintStream out) {
        this.options = options;
        this.engine = engine;
        this.model = model;
        this.limits = limits;
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        int status = run(args, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) throws InterruptedException {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println("EmbeddingServiceReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.println("usage: java --add-modules jdk.incubator.vector -cp ..."
                    + " org.vecformer.bench.EmbeddingServiceReport [options]");
            out.print(OPTIONS);
            return OK;
        }
        Optional<String> missing = Machine.vectorsMissing();
        if (missing.isPresent()) {
            err.println("EmbeddingServiceReport: " + missing.get());
            return USAGE;
        }
        try (TemporaryModel random = options.model.isPresent() ? null : TemporaryModel.create(RandomModel.miniLm());
                Engine engine = Engine.create(
                        EngineOptions.defaults().withBackend(options.backend).withThreads(options.threads));
                Limits limits = Limits.of(engine);
                Bert model = Bert.load(engine,
                        ModelFiles.of(random == null ? options.model.get() : random.directory()),
                        LoadOptions.defaults().withWeights(options.weights))) {
            engine.awaitWarmUp();
            Optional<String> difference = new EmbeddingServiceReport(options, engine, model, limits, out).run();
            difference.ifPresent(what -> err.println("EmbeddingServiceReport: " + what));
            return difference.isEmpty() ? OK : DIFFERENT;
        } catch (IOException e) {
            err.println("EmbeddingServiceReport: " + e.getMessage());
            return USAGE;
        }
    }

    /** Returns what is wrong, if anything is. */
    private Optional<String> run() throws IOException, InterruptedException {
        if (!options.json) {
            out.printf(Locale.ROOT, "%s; %s; Java %s; %s, %.1f million parameters, %s%n", Machine.processor(),
                    engine.description(), Runtime.version(),
                    options.model.map(m -> "model " + m).orElse("random all-MiniLM-L6-v2"), model.parameters() / 1e6,
                    Arguments.spelt(model.weights()));
            out.printf(Locale.ROOT, "token ids in, mean vector out; runs of up to %d tokens; rounds: %d of %.2f s for"
                    + " each line, in turns; median (least - most)%n", options.batchTokens, options.rounds,
                    options.seconds);
        }
        EmbedderOptions how = EmbedderOptions.defaults().withNormalize(true);
        try (Embedder embedder = Embedder.open(model, null);
                EmbeddingBatcher batcher = EmbeddingBatcher.open(model, null, EmbeddingBatcherOptions.defaults()
                        .withMaxBatchTokens(options.batchTokens).withMaxQueuedTokens(Integer.MAX_VALUE))) {
            for (Texts texts : Texts.ALL) {
                List<TaskInput> inputs = texts.inputs(model.config().vocabularySize());
                Function<TaskInput, Embedding> alone = input -> embedder.embed(input, how);
                Function<TaskInput, Embedding> joined = input -> batcher.embed(input, how);
                Optional<String> difference = difference(texts, inputs, alone, joined);
                if (difference.isPresent()) {
                    return difference;
                }
                time(texts, inputs, alone, joined, batcher);
            }
        }
        return Optional.empty();
    }

    /** Whether many callers at once get other vectors than one. */
    private Optional<String> difference(Texts texts, List<TaskInput> inputs, Function<TaskInput, Embedding> alone,
            Function<TaskInput, Embedding> joined) throws InterruptedException {
        List<float[]> expected = inputs.stream().map(input -> alone.apply(input).vector()).toList();
        int most = options.callers.stream().mapToInt(Integer::intValue).max().orElseThrow();
        List<Boolean> same = atOnce(most, caller -> {
            int text = caller % inputs.size();
            return Arrays.equals(joined.apply(inputs.get(text)).vector(), expected.get(text));
        });
        return same.contains(false)
                ? Optional.of("the vectors of " + texts.name + " differ between " + most + " callers and one")
                : Optional.empty();
    }

    private void time(Texts texts, List<TaskInput> inputs, Function<TaskInput, Embedding> alone,
            Function<TaskInput, Embedding> joined, EmbeddingBatcher batcher)
            throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        lines.add(new Line(0, options.rounds));
        options.callers.forEach(callers -> lines.add(new Line(callers, options.rounds)));
        double[] peak = new double[options.rounds];
        for (int round = -1; round < options.rounds; round++) {
            double before = limits.fmaPeak(options.seconds / 4);
            for (int i = 0; i < lines.size(); i++) {
                Line line = lines.get((Math.max(round, 0) + i) % lines.size());
                // Threads may look for work for a while before they sleep, which the next line should not notice.
                LockSupport.parkNanos((long) (options.seconds / 20 * 1e9));
                EmbeddingLoad load = batcher.load();
                Calls calls = line.callers == 0
                        ? calls(1, inputs, alone, () -> 0)
                        : calls(line.callers, inputs, joined, () -> batcher.load().runs() - load.runs());
                // The first round is for the compiler.
                if (round >= 0) {
                    line.add(calls);
                }
            }
            if (round >= 0) {
                peak[round] = (before + limits.fmaPeak(options.seconds / 4)) / 2;
            }
        }
        print(texts, lines, new Samples(peak));
    }

    /** Callers that send text after text until the time is over. */
    private Calls calls(int callers, List<TaskInput> inputs, Function<TaskInput, Embedding> service,
            LongSupplier runs) throws InterruptedException {
        long start = System.nanoTime();
        List<long[]> all = atOnce(callers, caller -> {
            long[] nanos = new long[16];
            int count = 0;
            for (long now = System.nanoTime(); now - start < options.seconds * 1e9 || count == 0;) {
                service.apply(inputs.get((caller + count) % inputs.size()));
                long then = System.nanoTime();
                if (count == nanos.length) {
                    nanos = Arrays.copyOf(nanos, 2 * count);
                }
                nanos[count++] = then - now;
                now = then;
            }
            return Arrays.copyOf(nanos, count);
        });
        double seconds = (System.nanoTime() - start) / 1e9;
        long tokens = 0;
        for (int caller = 0; caller < callers; caller++) {
            for (int call = 0; call < all.get(caller).length; call++) {
                tokens += inputs.get((caller + call) % inputs.size()).ids().length();
            }
        }
        return new Calls(seconds, tokens, runs.getAsLong(), all.stream().flatMapToLong(LongStream::of).toArray());
    }

    /** What each of so many callers gives, on a virtual thread of its own. */
    private static <T> List<T> atOnce(int callers, IntFunction<T> work) throws InterruptedException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<T>> tasks = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                int caller = i;
                tasks.add(() -> work.apply(caller));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(tasks)) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a caller failed", e.getCause());
        }
    }

    private void print(Texts texts, List<Line> lines, Samples peak) throws IOException {
        BertConfig config = model.config();
        double gigaflopsPerToken = BertWork.flops(config, texts.lengths) / 1e9
                / texts.lengths.stream().mapToInt(Integer::intValue).sum();
        if (!options.json) {
            out.printf(Locale.ROOT, "%n%s; FMA peak %.1f GFLOP/s (%.1f - %.1f)%n", texts.name, peak.median(),
                    peak.least(), peak.most());
            out.printf("  %-14s %8s %-17s %8s %8s %-20s %7s %9s %9s%n", "", "texts/s", "(least - most)", "tokens/s",
                    "of peak", "this / " + ALONE, "a run", "median", "99 %");
        }
        for (Line line : lines) {
            Samples share = line.tokens().shareOf(gigaflopsPerToken, peak);
            Samples ratio = line.texts().shareOf(1, lines.getFirst().texts());
            out.println(options.json ? json(texts, line, share, ratio) : text(line, share, ratio));
        }
        out.flush();
    }

    private static String text(Line line, Samples share, Samples ratio) {
        Samples texts = line.texts();
        boolean alone = line.callers == 0;
        return String.format(Locale.ROOT, "  %-14s %8.1f %-17s %8.0f %8s %-20s %7s %9s %9s", line.name, texts.median(),
                String.format(Locale.ROOT, "(%.1f - %.1f)", texts.least(), texts.most()), line.tokens().median(),
                String.format(Locale.ROOT, "%.1f %%", 100 * share.median()),
                alone
                        ? ""
                        : String.format(Locale.ROOT, "%.2f (%.2f - %.2f)", ratio.median(), ratio.least(), ratio.most()),
                alone ? "" : String.format(Locale.ROOT, "%.1f", line.textsARun()),
                String.format(Locale.ROOT, "%.1f ms", line.latency(0.5)),
                String.format(Locale.ROOT, "%.1f ms", line.latency(0.99)));
    }

    private String json(Texts texts, Line line, Samples share, Samples ratio) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", "embed " + texts.name);
            json.writeNumberField("callers", line.callers);
            json.writeStringField("backend", engine.backend());
            json.writeStringField("weights", Arguments.spelt(model.weights()));
            json.writeNumberField("threads", engine.threads());
            json.writeNumberField("batch_tokens", options.batchTokens);
            json.writeNumberField("rounds", options.rounds);
            json.writeStringField("unit", "texts/s");
            line.texts().write(json, "");
            line.tokens().write(json, "tokens_");
            json.writeStringField("limit", "FMA peak");
            share.write(json, "share_");
            if (line.callers > 0) {
                ratio.write(json, "this_by_alone_");
                json.writeNumberField("texts_a_run", line.textsARun());
            }
            json.writeNumberField("latency_median_ms", line.latency(0.5));
            json.writeNumberField("latency_99_ms", line.latency(0.99));
            json.writeEndObject();
        }
        return text.toString();
    }
}
