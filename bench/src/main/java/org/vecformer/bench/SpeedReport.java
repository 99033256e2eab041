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
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.GptConfig;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.GptWork;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints the speed of GPT-2 124M (random weights, or a model that is given) as shares of what the machine can do:
 * generating a token is bound by reading the weights, a prompt by multiply-adds. Limits and model are measured in turn,
 * round by round; shares are formed within a round, and medians over rounds.
 */
public final class SpeedReport {

    /** The floors that {@code --check} insists on for float32. */
    static final double DECODE_FLOOR = 0.50;
    static final double PROMPT_FLOOR = 0.30;

    private static final int PROMPT_TOKENS = 128;
    private static final int DECODE_TOKENS = 64;
    private static final int MOST_SEQUENCES = 256;

    static final int OK = 0;
    static final int MISSED = 1;
    static final int USAGE = 2;

    private static final String HELP = """
            usage: java --add-modules jdk.incubator.vector -cp benchmarks.jar org.vecformer.bench.SpeedReport [options]
              --model DIR      a GPT-2 (default: random weights of the 124M shape, made in a temporary folder)
              --weights LIST   how weights are kept, of f32, bf16, f16, int8, int4 (default: f32)
              --batch LIST     sequences that generate at once, as 1,4,16 (default: none but the one)
              --backend NAME   vector or scalar (default: vector)
              --rounds N       how often everything is measured (default: 7)
              --threads N      threads, of the limits too (default: one per processor)
              --json           JSON lines instead of a table
              --check          exit status 1 unless float32 reaches 50 % of read bandwidth and 30 % of the FMA peak
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> model, List<WeightType> weights, List<Integer> batches, BackendChoice backend,
            int rounds, int threads, boolean json, boolean check, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> model = Optional.empty();
            List<WeightType> weights = List.of(WeightType.F32);
            List<Integer> batches = List.of();
            BackendChoice backend = BackendChoice.VECTOR;
            int rounds = 7;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean json = false;
            boolean check = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--check" -> check = true;
                    case "--help" -> help = true;
                    case "--model" -> model = Optional.of(arguments.path());
                    case "--weights" -> weights = arguments.weights();
                    case "--batch" -> batches = arguments.numbers(MOST_SEQUENCES);
                    case "--backend" -> backend = arguments.backend();
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--threads" -> threads = arguments.threads();
                    default -> throw arguments.unknown();
                }
            }
            if (check && !weights.contains(WeightType.F32)) {
                throw new IllegalArgumentException("--check is about float32, which --weights leaves out");
            }
            return new Options(model, weights, batches, backend, rounds, threads, json, check, help);
        }
    }

    /**
     * One line of the report.
     *
     * @param name    what was measured
     * @param unit    of the values
     * @param values  one for each round
     * @param shares  of the limit, one for each round; null for a limit itself
     * @param limit   the limit; null for a limit itself
     * @param byOne   as a multiple of a single sequence, one for each round; null for anything but a batch
     */
    record Line(String name, String unit, Samples values, Samples shares, Limit limit, Samples byOne) {}

    private static final String UNIT = "tokens/s";

    private SpeedReport() {
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
            err.println("SpeedReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.print(HELP);
            return OK;
        }
        Optional<String> missing = Machine.vectorsMissing();
        if (missing.isPresent()) {
            err.println("SpeedReport: " + missing.get());
            return USAGE;
        }
        if (options.model.isPresent()) {
            return report(options, options.model.get(), out, err);
        }
        try (TemporaryModel model = TemporaryModel.create(RandomModel.gpt2Small())) {
            return report(options, model.directory(), out, err);
        }
    }

    private static int report(Options options, Path directory, PrintStream out, PrintStream err)
            throws IOException, InterruptedException {
        boolean missed = false;
        SpeedRun.Plan plan = plan(options.batches, options.rounds, Limits.SECONDS);
        try (Engine engine = Engine.create(
                EngineOptions.defaults().withBackend(options.backend).withThreads(options.threads));
                Limits limits = Limits.of(engine)) {
            engine.awaitWarmUp();
            ModelFiles files = ModelFiles.of(directory);
            if (!options.json) {
                out.printf(Locale.ROOT, "%s; %s; Java %s; %s%n", Machine.processor(), engine.description(),
                        Runtime.version(), options.model.map(m -> "model " + m).orElse("random GPT-2 124M"));
                out.printf(Locale.ROOT,
                        "prompt of %d tokens, then %d tokens greedily; rounds: %d; median (least - most)%n%n",
                        PROMPT_TOKENS, DECODE_TOKENS, options.rounds);
                out.printf(Locale.ROOT, "%-22s %12s %-9s %-21s %s%n", "", "median", "", "(least - most)",
                        "share of the machine's limit");
            }
            for (WeightType type : options.weights) {
                List<Line> lines = measure(engine, files, type, limits, plan);
                for (Line line : lines) {
                    out.println(options.json ? json(line, engine, type) : text(line));
                }
                out.flush();
                if (options.check && type == WeightType.F32) {
                    for (String miss : missedFloors(lines)) {
                        err.println("SpeedReport: " + miss);
                        missed = true;
                    }
                }
            }
        }
        return missed ? MISSED : OK;
    }

    static SpeedRun.Plan plan(List<Integer> batches, int rounds, double limitSeconds) {
        return new SpeedRun.Plan(PROMPT_TOKENS, DECODE_TOKENS, batches, rounds, limitSeconds);
    }

    /** The lines for one type of weights. */
    static List<Line> measure(Engine engine, ModelFiles files, WeightType type, Limits limits, SpeedRun.Plan plan)
            throws IOException {
        try (Gpt model = Gpt.load(engine, files, LoadOptions.defaults().withWeights(type))) {
            int needed = plan.promptTokens() + plan.decodeTokens();
            if (model.config().contextLength() < needed) {
                throw new IOException("the model " + files + " has a context of " + model.config().contextLength()
                        + " tokens; " + needed + " are needed");
            }
            try (SpeedRun run = new SpeedRun(model, plan)) {
                return lines(model.config(), type, plan, run.run(limits));
            }
        }
    }

    static List<Line> lines(GptConfig config, WeightType type, SpeedRun.Plan plan, SpeedRun.Result result) {
        double gigabytesPerToken = GptWork.bytesPerToken(config, type) / 1e9;
        double gigaflopsPerToken = GptWork.flopsPerPrompt(config, plan.promptTokens()) / 1e9 / plan.promptTokens();
        Samples one = result.decode();
        List<Line> lines = new ArrayList<>(List.of(
                new Line(Limit.READ_BANDWIDTH.label(), Limit.READ_BANDWIDTH.unit(), result.readBandwidth(), null, null,
                        null),
                new Line(Limit.FMA_PEAK.label(), Limit.FMA_PEAK.unit(), result.fmaPeak(), null, null, null),
                new Line("decode " + Arguments.spelt(type), UNIT, one,
                        one.shareOf(gigabytesPerToken, result.readBandwidth()), Limit.READ_BANDWIDTH, null),
                new Line("prompt " + Arguments.spelt(type), UNIT, result.prompt(),
                        result.prompt().shareOf(gigaflopsPerToken, result.fmaPeak()), Limit.FMA_PEAK, null)));
        for (int i = 0; i < plan.batches().size(); i++) {
            int count = plan.batches().get(i);
            Samples speed = result.batches().get(i);
            lines.add(new Line("decode " + Arguments.spelt(type) + " x " + count, UNIT, speed,
                    speed.shareOf(gigabytesPerToken / count, result.readBandwidth()), Limit.READ_BANDWIDTH,
                    speed.shareOf(1, one)));
        }
        return lines;
    }

    /** A sentence for each floor that float32 misses. */
    static List<String> missedFloors(List<Line> lines) {
        List<String> missed = new ArrayList<>();
        for (Line line : lines) {
            if (line.shares == null || line.byOne != null) {
                continue;
            }
            double floor = line.name.startsWith("decode") ? DECODE_FLOOR : PROMPT_FLOOR;
            // Written so that NaN misses too.
            if (!(line.shares.median() >= floor)) {
                missed.add(String.format(Locale.ROOT, "%s reaches %.1f %% of the machine's %s; the floor is %.0f %%",
                        line.name, 100 * line.shares.median(), line.limit.label(), 100 * floor));
            }
        }
        return missed;
    }

    private static String text(Line line) {
        Samples v = line.values;
        String text = String.format(Locale.ROOT, "%-22s %12.1f %-9s %-21s", line.name, v.median(), line.unit,
                String.format(Locale.ROOT, "(%.1f - %.1f)", v.least(), v.most()));
        return line.shares == null
                ? text.stripTrailing()
                : text + String.format(Locale.ROOT, " %.1f %% of %s (%.1f - %.1f)", 100 * line.shares.median(),
                        line.limit.label(), 100 * line.shares.least(), 100 * line.shares.most())
                        + (line.byOne == null
                                ? ""
                                : String.format(Locale.ROOT, ", %.2f x one", line.byOne.median()));
    }

    static String json(Line line, Engine engine, WeightType type) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", line.name);
            json.writeStringField("weights", Arguments.spelt(type));
            json.writeStringField("backend", engine.backend());
            json.writeNumberField("threads", engine.threads());
            json.writeNumberField("rounds", line.values.values().length);
            json.writeStringField("unit", line.unit);
            line.values.write(json, "");
            if (line.shares != null) {
                json.writeStringField("limit", line.limit.label());
                line.shares.write(json, "share_");
            }
            if (line.byOne != null) {
                line.byOne.write(json, "by_one_");
            }
            json.writeEndObject();
        }
        return text.toString();
    }
}
