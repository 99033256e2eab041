package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.vecformer.bench.ServingRun.Plan;
import org.vecformer.bench.ServingRun.Result;
import org.vecformer.bench.ServingRun.Served;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints how fast requests with prompts of mixed lengths are answered by GPT-2 124M (random weights, or a model that is
 * given): through a {@link org.vecformer.engine.generation.Scheduler}, by how many clients at once, and one at a time.
 */
public final class ServingReport {

    private static final int MIX = 16;
    private static final int PROMPT_TOKENS = 256;
    private static final int NEW_TOKENS = 48;
    private static final int MOST_CLIENTS = 1024;

    static final int OK = 0;
    static final int USAGE = 2;

    private static final String HELP = """
            usage: java --add-modules jdk.incubator.vector -cp benchmarks.jar org.vecformer.bench.ServingReport [options]
              --model DIR      a GPT-2 (default: random weights of the 124M shape, made in a temporary folder)
              --weights LIST   how weights are kept, of f32, bf16, f16, int8, int4 (default: f32)
              --clients LIST   how many ask at once (default: 1,4,16,64)
              --draw           draw tokens (temperature 0.8, top-k 40) instead of choosing greedily
              --backend NAME   vector or scalar (default: vector)
              --rounds N       how often everything is measured (default: 3)
              --threads N      threads that compute (default: one per processor)
              --json           JSON lines instead of a table
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> model, List<WeightType> weights, List<Integer> clients, boolean draws,
            BackendChoice backend, int rounds, int threads, boolean json, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> model = Optional.empty();
            List<WeightType> weights = List.of(WeightType.F32);
            List<Integer> clients = List.of(1, 4, 16, 64);
            boolean draws = false;
            BackendChoice backend = BackendChoice.VECTOR;
            int rounds = 3;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--draw" -> draws = true;
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--model" -> model = Optional.of(arguments.path());
                    case "--weights" -> weights = arguments.weights();
                    case "--clients" -> clients = arguments.numbers(MOST_CLIENTS);
                    case "--backend" -> backend = arguments.backend();
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--threads" -> threads = arguments.threads();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(model, weights, clients, draws, backend, rounds, threads, json, help);
        }

        Plan plan() {
            return new Plan(MIX, PROMPT_TOKENS, NEW_TOKENS, draws, clients, rounds);
        }
    }

    /**
     * One line of the report.
     *
     * @param name   how requests were answered
     * @param byOne  its tokens per second as a multiple of those of one at a time; null for that itself
     */
    record Line(String name, Served served, Samples byOne) {}

    private ServingReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = run(args, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) throws IOException, InterruptedException {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println("ServingReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.print(HELP);
            return OK;
        }
        if (options.model.isPresent()) {
            report(options, options.model.get(), out);
            return OK;
        }
        try (TemporaryModel model = TemporaryModel.create(RandomModel.gpt2Small())) {
            report(options, model.directory(), out);
            return OK;
        }
    }

    private static void report(Options options, Path directory, PrintStream out)
            throws IOException, InterruptedException {
        try (Engine engine = Engine.create(
                EngineOptions.defaults().withBackend(options.backend).withThreads(options.threads))) {
            engine.awaitWarmUp();
            if (!options.json) {
                out.printf(Locale.ROOT, "%s; %s; Java %s; %s%n", Machine.processor(), engine.description(),
                        Runtime.version(), options.model.map(m -> "model " + m).orElse("random GPT-2 124M"));
                out.printf(Locale.ROOT, "prompts of %d to %d tokens, %d to %d new ones, %s; rounds: %d; median (least -"
                        + " most); seconds to the whole answer and to its first token: median, 95 %% of requests%n%n",
                        PROMPT_TOKENS / 32, PROMPT_TOKENS, NEW_TOKENS / 4, NEW_TOKENS,
                        options.draws ? "drawn" : "greedily", options.rounds);
                out.printf("%-24s %10s %-18s %9s %8s %8s %8s %8s%n", "", "tokens/s", "(least - most)", "x one",
                        "answer", "95 %", "first", "95 %");
            }
            for (WeightType type : options.weights) {
                for (Line line : measure(engine, ModelFiles.of(directory), type, options.plan())) {
                    out.println(options.json ? json(line, engine, type) : text(line));
                }
                out.flush();
            }
        }
    }

    /** The lines for one type of weights. */
    static List<Line> measure(Engine engine, ModelFiles files, WeightType type, Plan plan)
            throws IOException, InterruptedException {
        try (Gpt model = Gpt.load(engine, files, LoadOptions.defaults().withWeights(type))) {
            if (model.config().contextLength() < plan.positions()) {
                throw new IOException("the model " + files + " has a context of " + model.config().contextLength()
                        + " tokens; " + plan.positions() + " are needed");
            }
            Result result = new ServingRun(model, plan).run();
            List<Line> lines = new ArrayList<>();
            lines.add(new Line("one at a time " + Arguments.spelt(type), result.alone(), null));
            for (int i = 0; i < plan.clients().size(); i++) {
                Served served = result.together().get(i);
                lines.add(new Line("scheduler " + Arguments.spelt(type) + " x " + plan.clients().get(i), served,
                        served.tokensPerSecond().shareOf(1, result.alone().tokensPerSecond())));
            }
            return lines;
        }
    }

    static String text(Line line) {
        Served served = line.served;
        Samples speed = served.tokensPerSecond();
        return String.format(Locale.ROOT, "%-24s %10.1f %-18s %9s %8.2f %8.2f %8.2f %8.2f", line.name, speed.median(),
                String.format(Locale.ROOT, "(%.1f - %.1f)", speed.least(), speed.most()),
                line.byOne == null ? "" : String.format(Locale.ROOT, "%.2f", line.byOne.median()),
                served.latency().median(), served.latency95().median(), served.first().median(),
                served.first95().median());
    }

    static String json(Line line, Engine engine, WeightType type) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", line.name);
            json.writeStringField("weights", Arguments.spelt(type));
            json.writeStringField("backend", engine.backend());
            json.writeNumberField("threads", engine.threads());
            json.writeNumberField("rounds", line.served.tokensPerSecond().values().length);
            json.writeStringField("unit", "tokens/s");
            line.served.tokensPerSecond().write(json, "");
            if (line.byOne != null) {
                line.byOne.write(json, "by_one_");
            }
            line.served.latency().write(json, "answer_seconds_");
            line.served.latency95().write(json, "answer_seconds_95_");
            line.served.first().write(json, "first_seconds_");
            line.served.first95().write(json, "first_seconds_95_");
            json.writeEndObject();
        }
        return text.toString();
    }
}
