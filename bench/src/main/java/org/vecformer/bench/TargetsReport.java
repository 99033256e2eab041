package org.vecformer.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Machine;

/**
 * Prints the table of the speed targets: what was to be reached, what the machine allows, what we do, what others do
 * beside us. It is made of what the other reports measure, in one process (but for what is about processes) and in some
 * six minutes. A row whose peer or files are not here says so.
 * <p>
 * This program has no peers. The profile {@code peers} builds one that has: {@code TargetsPeersReport}.
 */
public final class TargetsReport {

    static final int OK = 0;
    static final int USAGE = 2;

    private static final String OPTIONS = """
              --minilm DIR     all-MiniLM-L6-v2, which ONNX Runtime has too, with its tokenizer.json
              --gpt2 DIR       GPT-2's vocabulary (vocab.json, merges.txt), which jtokkit has too
              --text FILE      a text for the tokenizers
              --code DIR       a folder with Java sources for the tokenizers
              --jar FILE       gpt2.jar, for what is about processes
              --only LIST      parts of the table, of decode, matrices, encoders, tokenizers, processes (default: all)
              --rounds N       how often everything is measured (default: 5)
              --seconds S      how long each competitor is timed in each round (default: 0.3)
              --threads N      threads of everybody but tokenizers (default: one per processor)
              --json           JSON lines instead of a table
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> minilm, Optional<Path> gpt2, Optional<Path> text, Optional<Path> code,
            Optional<Path> jar, List<String> only, int rounds, double seconds, int threads, boolean json,
            boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> minilm = Optional.empty();
            Optional<Path> gpt2 = Optional.empty();
            Optional<Path> text = Optional.empty();
            Optional<Path> code = Optional.empty();
            Optional<Path> jar = Optional.empty();
            List<String> only = PARTS;
            int rounds = 5;
            double seconds = 0.3;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--minilm" -> minilm = Optional.of(arguments.path());
                    case "--gpt2" -> gpt2 = Optional.of(arguments.path());
                    case "--text" -> text = Optional.of(arguments.path());
                    case "--code" -> code = Optional.of(arguments.path());
                    case "--jar" -> jar = Optional.of(arguments.path());
                    case "--only" -> only = arguments.names(PARTS);
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--seconds" -> seconds = arguments.seconds();
                    case "--threads" -> threads = arguments.threads();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(minilm, gpt2, text, code, jar, only, rounds, seconds, threads, json, help);
        }

        boolean needs(String... parts) {
            return Arrays.stream(parts).anyMatch(only::contains);
        }

        EncoderRun.Plan encoderPlan() {
            return new EncoderRun.Plan(rounds, seconds, 4 * seconds, seconds / 5);
        }
    }

    static final List<String> PARTS = List.of("decode", "matrices", "encoders", "tokenizers", "processes");

    /** A part of the table. */
    interface Part {

        /** Measures, and tells row after row. */
        void measure(Consumer<Target> rows) throws IOException, InterruptedException;
    }

    private TargetsReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = run("TargetsReport", args, Rivals.NONE, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String program, String[] args, Rivals rivals, PrintStream out, PrintStream err)
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
        try (TemporaryModel gpt2 = options.needs("decode", "processes")
                ? TemporaryModel.create(RandomModel.gpt2Small())
                : null;
                TemporaryModel bert = options.needs("encoders")
                        ? TemporaryModel.create(RandomModel.bertBase())
                        : null;
                Engine engine = Engine.create(
                        EngineOptions.defaults().withBackend(BackendChoice.VECTOR).withThreads(options.threads));
                Limits limits = Limits.of(engine)) {
            engine.awaitWarmUp();
            if (!options.json) {
                out.printf(Locale.ROOT, "%s; %s; Java %s; medians of %d rounds%n%n%s%n", Machine.processor(),
                        engine.description(), Runtime.version(), options.rounds, Target.HEADER);
            }
            for (String name : options.only) {
                print(name, switch (name) {
                    case "decode" -> new DecodeTargets(engine, ModelFiles.of(gpt2.directory()), limits,
                            options.rounds, options.seconds);
                    case "matrices" -> new MatrixTargets(MatrixTargets.Shape.LARGE, engine.cpu(), limits,
                            options.rounds, options.seconds);
                    case "encoders" -> new EncoderTargets(engine, options, ModelFiles.of(bert.directory()), rivals,
                            limits);
                    case "tokenizers" -> new TokenizerTargets(options, rivals);
                    default -> new ProcessTargets(engine, options, ModelFiles.of(gpt2.directory()));
                }, options.json, out);
            }
            return OK;
        } catch (IOException e) {
            err.println(program + ": " + e.getMessage());
            return USAGE;
        }
    }

    /** Prints rows as they come; what ends a part early is its last row. */
    static void print(String name, Part part, boolean asJson, PrintStream out)
            throws IOException, InterruptedException {
        Consumer<Target> rows = row -> {
            try {
                out.println(asJson ? row.json() : row.text());
                out.flush();
            } catch (IOException e) {
                throw new IllegalStateException("JSON in memory cannot fail", e);
            }
        };
        try {
            part.measure(rows);
        } catch (IOException | IllegalStateException | LinkageError e) {
            rows.accept(Target.missing(name, "", e.getMessage() == null ? e.toString() : e.getMessage()));
        }
    }
}
