package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.HdrHistogram.Histogram;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Machine;

/**
 * Lets clients ask a {@link org.vecformer.engine.generation.Scheduler} for texts for minutes or hours, and prints how long
 * they waited, and what memory was used, over time; both also as a picture. Texts are compared with what the model writes
 * alone; one that differs ends the run.
 * <p>
 * The load is closed: a client asks when it has its answer, so that the latencies are those of so many clients at a time,
 * not of so many requests a second.
 */
public final class SoakReport {

    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    private static final int MOST_CLIENTS = 10_000;
    private static final int MOST_TOKENS = 100_000;
    private static final int MOST_MINUTES = 7 * 24 * 60;
    private static final int INTERVALS = 60;
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 100};

    private static final String HELP = """
            usage: java --add-modules jdk.incubator.vector -cp benchmarks.jar org.vecformer.bench.SoakReport [options]
              --model DIR      a GPT-2 (default: random weights of the 124M shape, made in a temporary folder)
              --weights TYPE   how weights are kept: f32, bf16, f16, int8 or int4 (default: f32)
              --minutes N      how long (default: 5)
              --clients N      how many ask at the same time (default: 16)
              --prompt N       tokens of the longest prompt (default: 128)
              --tokens N       the most new tokens of a text (default: 32)
              --threads N      threads that compute (default: one per processor)
              --svg FILE       the picture (default: soak.svg)
              --json           JSON lines, one for each interval and one for all, instead of tables
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> model, WeightType weights, int minutes, int clients, int prompt, int tokens,
            int threads, Path svg, boolean json, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> model = Optional.empty();
            WeightType weights = WeightType.F32;
            int minutes = 5;
            int clients = 16;
            int prompt = 128;
            int tokens = 32;
            int threads = Runtime.getRuntime().availableProcessors();
            Path svg = Path.of("soak.svg");
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--model" -> model = Optional.of(arguments.path());
                    case "--weights" -> weights = arguments.weights().getFirst();
                    case "--minutes" -> minutes = arguments.number(MOST_MINUTES);
                    case "--clients" -> clients = arguments.number(MOST_CLIENTS);
                    case "--prompt" -> prompt = arguments.number(MOST_TOKENS);
                    case "--tokens" -> tokens = arguments.number(MOST_TOKENS);
                    case "--threads" -> threads = arguments.threads();
                    case "--svg" -> svg = arguments.path();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(model, weights, minutes, clients, prompt, tokens, threads, svg, json, help);
        }

        SoakRun.Plan plan() {
            return new SoakRun.Plan(clients, prompt, tokens, INTERVALS, minutes * 60.0 / INTERVALS);
        }
    }

    private SoakReport() {
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
            err.println("SoakReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.print(HELP);
            return OK;
        }
        Optional<String> missing = Machine.vectorsMissing();
        if (missing.isPresent()) {
            err.println("SoakReport: " + missing.get());
            return USAGE;
        }
        try (TemporaryModel random = options.model.isPresent()
                ? null
                : TemporaryModel.create(RandomModel.gpt2Small())) {
            report(options, options.plan(), random == null ? options.model.get() : random.directory(), out);
            return OK;
        } catch (IOException | RuntimeException e) {
            err.println("SoakReport: " + e.getMessage());
            return FAILED;
        }
    }

    static void report(Options options, SoakRun.Plan plan, Path directory, PrintStream out)
            throws IOException, InterruptedException {
        try (Engine engine = Engine.create(
                EngineOptions.defaults().withBackend(BackendChoice.VECTOR).withThreads(options.threads));
                Gpt model = Gpt.load(engine, ModelFiles.of(directory),
                        LoadOptions.defaults().withWeights(options.weights))) {
            engine.awaitWarmUp();
            if (plan.promptTokens() + plan.newTokens() > model.config().contextLength()) {
                throw new IllegalArgumentException("prompts of " + plan.promptTokens() + " tokens and "
                        + plan.newTokens() + " new ones; the model's context length is "
                        + model.config().contextLength());
            }
            String title = String.format(Locale.ROOT,
                    "%d clients at a time, prompts of 1 to %d tokens, 1 to %d new ones: %s %s", plan.clients(),
                    plan.promptTokens(), plan.newTokens(),
                    options.model.map(path -> path.getFileName().toString()).orElse("GPT-2 124M"),
                    Arguments.spelt(options.weights));
            String subtitle = Machine.processor() + "; " + engine.description() + "; Java " + Runtime.version();
            SoakRun run = new SoakRun(model, plan);
            if (!options.json) {
                out.printf(Locale.ROOT, "%s%n%s%n%n%s%n", subtitle, title, HEADER);
            }
            int[] number = {0};
            int every = Math.max(1, plan.intervals() / 20);
            Soak soak = run.run(interval -> {
                number[0]++;
                if (options.json) {
                    out.println(json("interval", number[0] * plan.seconds(), interval.latencies(), interval.memory(),
                            interval.tokens() / plan.seconds()));
                } else if (number[0] % every == 0) {
                    out.println(row(number[0] * plan.seconds(), interval, plan.seconds()));
                }
                out.flush();
            });
            Files.writeString(options.svg, SoakPicture.svg(soak, title, subtitle));
            if (options.json) {
                out.println(json("all", plan.intervals() * plan.seconds(), soak.all(),
                        soak.intervals().getLast().memory(), soak.tokens() / (plan.intervals() * plan.seconds())));
            } else {
                summary(soak, options.svg, out);
            }
        }
    }

    private static final String HEADER = """
            | seconds | tokens/s | waiting | first token p50, p99 ms | next token p50, p99 ms | resident MiB | heap MiB | engine MiB |
            |---|---|---|---|---|---|---|---|""";

    private static String row(double seconds, Soak.Interval interval, double length) {
        Soak.Latencies latencies = interval.latencies();
        return String.format(Locale.ROOT, "| %.0f | %s | %d | %s, %s | %s, %s | %d | %d | %d |", seconds,
                SoakPicture.number(interval.tokens() / length), interval.queued(), millis(latencies.firstToken(), 50),
                millis(latencies.firstToken(), 99), millis(latencies.nextToken(), 50),
                millis(latencies.nextToken(), 99), interval.memory().resident() >> 20, interval.memory().heap() >> 20,
                interval.memory().engine().total() >> 20);
    }

    private static String millis(Histogram histogram, double percentile) {
        return histogram.getTotalCount() == 0
                ? ""
                : SoakPicture.number(histogram.getValueAtPercentile(percentile) / 1e3);
    }

    private static void summary(Soak soak, Path svg, PrintStream out) {
        double seconds = soak.intervals().size() * soak.seconds();
        out.printf(Locale.ROOT,
                "%n%d requests, %d of them cancelled by their clients; %s tokens/s; all texts as alone%n%n",
                soak.requests(), soak.cancelled(), SoakPicture.number(soak.tokens() / seconds));
        out.printf("| ms | p50 | p90 | p99 | p99.9 | most |%n|---|---|---|---|---|---|%n");
        row(out, "time to the first token", soak.all().firstToken());
        row(out, "time to the next token", soak.all().nextToken());
        row(out, "whole request", soak.all().request());
        Soak.Memory warm = soak.intervals().get(soak.warm()).memory();
        Soak.Memory last = soak.intervals().getLast().memory();
        out.printf(Locale.ROOT, "%n| MiB | after a tenth of the time | at the end |%n|---|---|---|%n");
        row(out, "resident set", warm.resident(), last.resident());
        row(out, "Java heap, garbage too", warm.heap(), last.heap());
        row(out, "engine", warm.engine().total(), last.engine().total());
        out.printf("%nThe picture: %s%n", svg);
    }

    private static void row(PrintStream out, String name, Histogram histogram) {
        StringBuilder row = new StringBuilder("| " + name);
        for (double percentile : PERCENTILES) {
            row.append(" | ").append(millis(histogram, percentile));
        }
        out.println(row + " |");
    }

    private static void row(PrintStream out, String name, long warm, long last) {
        out.println("| " + name + " | " + (warm >> 20) + " | " + (last >> 20) + " |");
    }

    static String json(String what, double seconds, Soak.Latencies latencies, Soak.Memory memory,
            double tokensPerSecond) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("soak", what);
            json.writeNumberField("seconds", seconds);
            json.writeNumberField("tokens_per_second", tokensPerSecond);
            write(json, "first_token_ms", latencies.firstToken());
            write(json, "next_token_ms", latencies.nextToken());
            write(json, "request_ms", latencies.request());
            json.writeNumberField("resident", memory.resident());
            json.writeNumberField("heap", memory.heap());
            json.writeNumberField("weights", memory.engine().weights());
            json.writeNumberField("caches", memory.engine().caches());
            json.writeNumberField("scratch", memory.engine().scratch());
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return text.toString();
    }

    private static void write(JsonGenerator json, String name, Histogram histogram) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("count", histogram.getTotalCount());
        if (histogram.getTotalCount() > 0) {
            for (double percentile : PERCENTILES) {
                json.writeNumberField(percentile == 100 ? "most" : "p" + SoakPicture.number(percentile),
                        histogram.getValueAtPercentile(percentile) / 1e3);
            }
        }
        json.writeEndObject();
    }
}
