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
import org.vecformer.bench.EncoderRun.Plan;
import org.vecformer.bench.EncoderRun.Result;
import org.vecformer.bench.EncoderRun.Shape;
import org.vecformer.bench.SentenceEncoder.Arithmetic;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;
import org.vecformer.yardstick.BertWork;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints the speed of a BERT encoder (random weights of BERT-base's shape, or a model that is given) as a share of the
 * machine's multiply-add peak and, where there are peers with the same model, as a multiple of theirs: all of it in
 * one process, in turns, round by round. Vectors are compared too, and a peer in float32 whose vectors differ is a
 * failure.
 * <p>
 * This program has no peers. The profile {@code peers} builds one that has: {@code OnnxReport}.
 */
public final class EncoderReport {

    static final int OK = 0;
    static final int DIFFERENT = 1;
    static final int USAGE = 2;

    /** Sentences of different lengths, for the comparison of vectors. */
    static final List<String> SENTENCES = List.of(
            "Yes.",
            "The cat sat on the mat.",
            "A cat was sitting on a small rug.",
            "How do I change the oil of a diesel engine?",
            "Prices rose by 3.7% in March 2024, the largest increase since 1991.",
            "Zoë's café in Zürich serves crème brûlée — and it isn't cheap!",
            "The committee, which had met four times since the spring, decided on Thursday that it would neither"
                    + " approve nor reject the proposal until the engineers had measured the bridge again.",
            "She asked him whether he had seen her keys, and he answered that he had not, although they were lying on"
                    + " the table in front of him, under a newspaper that somebody had left there in the morning, and"
                    + " he would have found them at once if he had cared to lift it.");

    private static final String OPTIONS = """
              --model DIR      a BERT (default: random weights of BERT-base's shape, made in a temporary folder)
              --weights LIST   how ours keeps weights, of f32, bf16, f16, int8, int4 (default: f32); the first is compared with
              --backend NAME   vector or scalar (default: vector)
              --rounds N       how often everything is measured (default: 7)
              --seconds S      how long each encoder is timed in each round (default: 0.5)
              --threads N      threads of every encoder and of the limit (default: one per processor)
              --json           JSON lines instead of a table
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> model, List<WeightType> weights, BackendChoice backend, int rounds, double seconds,
            int threads, boolean json, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> model = Optional.empty();
            List<WeightType> weights = List.of(WeightType.F32);
            BackendChoice backend = BackendChoice.VECTOR;
            int rounds = 7;
            double seconds = 0.5;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--model" -> model = Optional.of(arguments.path());
                    case "--weights" -> weights = arguments.weights();
                    case "--backend" -> backend = arguments.backend();
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--seconds" -> seconds = arguments.seconds();
                    case "--threads" -> threads = arguments.threads();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(model, weights, backend, rounds, seconds, threads, json, help);
        }

        Plan plan() {
            return new Plan(rounds, seconds, 4 * seconds, seconds / 5);
        }
    }

    /** Who else encodes. */
    interface Peers {

        /** Opens them with the same model, to compute on so many threads; the list takes one after the other. */
        void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders) throws IOException;
    }

    private final Options options;
    private final Engine engine;
    private final PrintStream out;
    private final List<String> failures = new ArrayList<>();

    private EncoderReport(Options options, Engine engine, PrintStream out) {
        this.options = options;
        this.engine = engine;
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        int status = run("EncoderReport", args, (_, _, _) -> {
        }, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String program, String[] args, Peers peers, PrintStream out, PrintStream err)
            throws InterruptedException {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println(program + ": " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.printf("usage: java --add-modules jdk.incubator.vector -cp ... org.vecformer.bench.%s [options]%n",
                    program);
            out.print(OPTIONS);
            return OK;
        }
        Optional<String> missing = Machine.vectorsMissing();
        if (missing.isPresent()) {
            err.println(program + ": " + missing.get());
            return USAGE;
        }
        try (TemporaryModel random = options.model.isPresent()
                ? null
                : TemporaryModel.create(RandomModel.bertBase())) {
            return report(program, options, random == null ? options.model.get() : random.directory(), peers, out, err);
        } catch (IOException e) {
            err.println(program + ": " + e.getMessage());
            return USAGE;
        }
    }

    private static int report(String program, Options options, Path directory, Peers peers, PrintStream out,
            PrintStream err)
            throws IOException, InterruptedException {
        List<SentenceEncoder> encoders = new ArrayList<>();
        try (Engine engine = Engine.create(
                EngineOptions.defaults().withBackend(options.backend).withThreads(options.threads));
                Limits limits = Limits.of(engine)) {
            engine.awaitWarmUp();
            EncoderReport report = new EncoderReport(options, engine, out);
            try {
                ModelFiles files = ModelFiles.of(directory);
                for (WeightType type : options.weights) {
                    encoders.add(VecformerEncoder.load(engine, files, type));
                }
                peers.open(files, options.threads, encoders);
                report.run(directory, encoders, limits);
            } finally {
                encoders.forEach(SentenceEncoder::close);
            }
            report.failures.forEach(failure -> err.println(program + ": " + failure));
            return report.failures.isEmpty() ? OK : DIFFERENT;
        }
    }

    private void run(Path directory, List<SentenceEncoder> encoders, Limits limits) throws IOException {
        VecformerEncoder ours = (VecformerEncoder) encoders.getFirst();
        BertConfig config = ours.config();
        if (!options.json) {
            out.printf(Locale.ROOT, "%s; %s; Java %s; %s, %.1f million parameters%n", Machine.processor(),
                    engine.description(), Runtime.version(),
                    options.model.map(m -> "model " + m).orElse("random BERT-base"), ours.parameters() / 1e6);
            out.printf(Locale.ROOT, "token ids in, mean vector out; rounds: %d of %.2f s for each encoder, in turns;"
                    + " median (least - most)%n", options.rounds, options.seconds);
        }
        if (Tokenizer.isPresent(directory)) {
            Tokenizer tokenizer = Tokenizer.load(directory);
            compare(encoders, SENTENCES.stream().map(tokenizer::ids).toList());
        } else if (!options.json) {
            out.println("the model's folder has no tokenizer: vectors are compared of random ids only");
        }
        for (Shape shape : Shape.ALL) {
            time(shape, config, encoders, limits);
        }
    }

    /** Vectors of real sentences, in one batch. */
    private void compare(List<SentenceEncoder> encoders, List<int[]> sentences) throws IOException {
        List<Likeness> all;
        try (EncoderRun run = new EncoderRun(encoders, sentences, options.plan())) {
            all = run.likeness();
        }
        int tokens = sentences.stream().mapToInt(ids -> ids.length).sum();
        if (!options.json) {
            out.printf("%n%d sentences of %d tokens, vectors compared with those of %s%n", sentences.size(), tokens,
                    encoders.getFirst().name());
        }
        for (int i = 1; i < encoders.size(); i++) {
            SentenceEncoder encoder = encoders.get(i);
            check("the sentences", encoder, all.get(i));
            out.println(options.json
                    ? json("sentences", encoder, null, null, null, all.get(i))
                    : String.format(Locale.ROOT, "  %-42s %s", encoder.name(), text(all.get(i))));
        }
        out.flush();
    }

    /**
     * What an encoder did on a batch.
     *
     * @param speed    tokens/s, one for each round
     * @param share    of the multiply-add peak; null if that says nothing of it
     * @param ratio    the first encoder's speed by this one's; null for the first
     * @param likeness of its vectors to the first encoder's; null for the first
     */
    record Line(SentenceEncoder encoder, Samples speed, Samples share, Samples ratio, Likeness likeness) {}

    /** A batch: the peak in GFLOP/s, and a line for each encoder. */
    record Lines(Samples fmaPeak, List<Line> lines) {}

    /** Times encoders on a batch; where sequences differ in length, those that pad do it one by one, too. */
    static Lines measure(Shape shape, BertConfig config, List<SentenceEncoder> all, Limits limits, Plan plan) {
        List<SentenceEncoder> encoders = new ArrayList<>(all);
        if (shape.paddedTokens() != shape.tokens()) {
            all.stream().filter(encoder -> !(encoder instanceof VecformerEncoder)).map(OneByOne::new)
                    .forEach(encoders::add);
        }
        Result result;
        try (EncoderRun run = new EncoderRun(encoders, shape.sequences(config.vocabularySize()), plan)) {
            result = run.run(limits);
        }
        double gigaflopsPerToken = BertWork.flops(config, shape.lengths()) / 1e9 / shape.tokens();
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < encoders.size(); i++) {
            Samples speed = result.speeds().get(i);
            lines.add(new Line(encoders.get(i), speed,
                    encoders.get(i).arithmetic() == Arithmetic.INTEGER
                            ? null
                            : speed.shareOf(gigaflopsPerToken, result.fmaPeak()),
                    i == 0 ? null : result.speeds().getFirst().shareOf(1, speed),
                    i == 0 ? null : result.likeness().get(i)));
        }
        return new Lines(result.fmaPeak(), lines);
    }

    private void time(Shape shape, BertConfig config, List<SentenceEncoder> all, Limits limits) throws IOException {
        Lines result = measure(shape, config, all, limits, options.plan());
        if (!options.json) {
            out.printf(Locale.ROOT, "%n%s: %d tokens%s; FMA peak %.1f GFLOP/s (%.1f - %.1f)%n", shape.name(),
                    shape.tokens(),
                    shape.paddedTokens() != shape.tokens()
                            ? ", " + shape.paddedTokens() + " with the padding that peers compute and ours does not"
                            : "",
                    result.fmaPeak.median(), result.fmaPeak.least(), result.fmaPeak.most());
            out.println(String.format("  %-42s %8s %-19s %-9s %-20s %s", "", "tokens/s", "(least - most)", "of peak",
                    all.size() > 1 ? "first / this" : "", all.size() > 1 ? "vectors" : "").stripTrailing());
        }
        for (Line line : result.lines) {
            if (line.likeness != null) {
                check(shape.name(), line.encoder, line.likeness);
            }
            out.println(options.json
                    ? json("encode " + shape.name(), line.encoder, line.speed, line.share, line.ratio, line.likeness)
                    : text(line.encoder, line.speed, line.share, line.ratio, line.likeness));
        }
        out.flush();
    }

    private void check(String what, SentenceEncoder encoder, Likeness likeness) {
        if (encoder.arithmetic() == Arithmetic.FLOAT32 && !likeness.same()) {
            failures.add(String.format(Locale.ROOT,
                    "the vectors of %s and ours differ on %s: cosine %.7f; expected at least %.5f", encoder.name(),
                    what,
                    likeness.cosine(), Likeness.FLOOR));
        }
    }

    private static String text(SentenceEncoder encoder, Samples speed, Samples share, Samples ratio,
            Likeness likeness) {
        return String.format(Locale.ROOT, "  %-42s %8.0f %-19s %-9s %-20s %s", encoder.name(), speed.median(),
                String.format(Locale.ROOT, "(%.0f - %.0f)", speed.least(), speed.most()),
                share == null ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * share.median()),
                ratio == null
                        ? ""
                        : String.format(Locale.ROOT, "%.2f (%.2f - %.2f)", ratio.median(), ratio.least(), ratio.most()),
                likeness == null ? "" : text(likeness)).stripTrailing();
    }

    private static String text(Likeness likeness) {
        return String.format(Locale.ROOT, "cosine %.7f, difference %.1e", likeness.cosine(),
                likeness.difference());
    }

    private String json(String test, SentenceEncoder encoder, Samples speed, Samples share, Samples ratio,
            Likeness likeness) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", test);
            json.writeStringField("encoder", encoder.name());
            if (encoder instanceof VecformerEncoder) {
                json.writeStringField("backend", engine.backend());
            }
            json.writeNumberField("threads", engine.threads());
            if (speed != null) {
                json.writeNumberField("rounds", speed.values().length);
                json.writeStringField("unit", "tokens/s");
                speed.write(json, "");
            }
            if (share != null) {
                json.writeStringField("limit", "FMA peak");
                share.write(json, "share_");
            }
            if (ratio != null) {
                ratio.write(json, "first_by_this_");
            }
            if (likeness != null) {
                json.writeNumberField("cosine", likeness.cosine());
                json.writeNumberField("difference", likeness.difference());
            }
            json.writeEndObject();
        }
        return text.toString();
    }
}
