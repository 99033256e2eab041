package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Prints what rounding and quantizing weights does to a model, against the same model with float32 weights: for a GPT-2
 * the perplexity of a text and the differences of logits, for a BERT the agreement of what it fills masks with, and of
 * how it ranks pairs of sentences by their likeness.
 */
public final class QuantizationReport {

    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    private static final int MOST_LINES = 1_000;
    private static final int LEAST_CHARACTERS = 40;

    private static final String HELP = """
            usage: java --add-modules jdk.incubator.vector -cp benchmarks.jar org.vecformer.bench.QuantizationReport [options]
              --gpt2 DIR       a GPT-2: perplexity of the whole text; logits of its first tokens
              --bert DIR       a BERT: masked tokens, if it has that head, and cosines of all pairs of the text's lines
              --text FILE      a text in UTF-8
              --weights LIST   compared with f32, of bf16, f16, int8, int4 (default: bf16,int8,int4)
              --tokens N       for a GPT-2: tokens whose logits are compared (default: 4096)
              --lines N        for a BERT: lines of at least 40 characters, from the text's beginning (default: 200)
              --backend NAME   vector or scalar (default: vector)
              --threads N      threads (default: one per processor)
              --json           JSON lines instead of a table
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> gpt2, Optional<Path> bert, Optional<Path> text, List<WeightType> weights, int tokens,
            int lines, BackendChoice backend, int threads, boolean json, boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> gpt2 = Optional.empty();
            Optional<Path> bert = Optional.empty();
            Optional<Path> text = Optional.empty();
            List<WeightType> weights = List.of(WeightType.BF16, WeightType.INT8, WeightType.INT4);
            int tokens = 4096;
            int lines = 200;
            BackendChoice backend = BackendChoice.VECTOR;
            int threads = 0;
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--gpt2" -> gpt2 = Optional.of(arguments.path());
                    case "--bert" -> bert = Optional.of(arguments.path());
                    case "--text" -> text = Optional.of(arguments.path());
                    case "--weights" -> weights = arguments.weights();
                    case "--tokens" -> tokens = arguments.number(Integer.MAX_VALUE);
                    case "--lines" -> lines = arguments.number(MOST_LINES);
                    case "--backend" -> backend = arguments.backend();
                    case "--threads" -> threads = arguments.threads();
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    default -> throw arguments.unknown();
                }
            }
            if (!help && (text.isEmpty() || gpt2.isEmpty() && bert.isEmpty())) {
                throw new IllegalArgumentException(
                        (text.isEmpty() ? "--text" : "--gpt2 or --bert") + " is missing; see --help");
            }
            return new Options(gpt2, bert, text, weights, tokens, lines, backend, threads, json, help);
        }
    }

    /** One line of the report: what was found for a type of weights, by names. */
    record Line(Path model, WeightType weights, long bytes, Map<String, Double> numbers) {}

    private QuantizationReport() {
    }

    public static void main(String[] args) {
        int status = run(args, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println("QuantizationReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.print(HELP);
            return OK;
        }
        try (Engine engine = Engine.create(
                EngineOptions.defaults().withBackend(options.backend).withThreads(options.threads))) {
            if (options.gpt2.isPresent()) {
                gpt2(options, engine, options.gpt2.get(), out);
            }
            if (options.bert.isPresent()) {
                bert(options, engine, options.bert.get(), out);
            }
            return OK;
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            err.println("QuantizationReport: " + e.getMessage());
            return FAILED;
        }
    }

    private static List<WeightType> types(Options options) {
        List<WeightType> types = new ArrayList<>(List.of(WeightType.F32));
        options.weights.stream().filter(type -> type != WeightType.F32).forEach(types::add);
        return types;
    }

    private static void gpt2(Options options, Engine engine, Path directory, PrintStream out) throws IOException {
        ModelFiles files = ModelFiles.of(directory);
        try (Gpt exact = Gpt.load(engine, files, LoadOptions.defaults().withWeights(WeightType.F32))) {
            var fidelity = new Gpt2Fidelity(exact, Tokenizer.load(files.directory()), options.text.orElseThrow(),
                    options.tokens);
            for (WeightType type : types(options)) {
                try (Gpt model = Gpt.load(engine, files, LoadOptions.defaults().withWeights(type))) {
                    print(options, new Line(directory, type, model.weightBytes(), fidelity.of(model)), out);
                }
            }
        }
    }

    private static void bert(Options options, Engine engine, Path directory, PrintStream out) throws IOException {
        ModelFiles files = ModelFiles.of(directory);
        List<String> lines = Files.readAllLines(options.text.orElseThrow()).stream().map(String::strip)
                .filter(line -> line.length() >= LEAST_CHARACTERS).limit(options.lines).toList();
        if (lines.size() < 3) {
            throw new IOException("the text " + options.text.orElseThrow() + " has " + lines.size()
                    + " lines of at least " + LEAST_CHARACTERS + " characters; expected 3 or more");
        }
        try (Bert exact = Bert.load(engine, files, LoadOptions.defaults().withWeights(WeightType.F32))) {
            BertFidelity fidelity = new BertFidelity(exact, files.directory(), lines);
            for (WeightType type : types(options)) {
                try (Bert model = Bert.load(engine, files, LoadOptions.defaults().withWeights(type))) {
                    print(options, new Line(directory, type, model.weightBytes(), fidelity.of(model)), out);
                }
            }
        }
    }

    private static void print(Options options, Line line, PrintStream out) throws IOException {
        out.println(options.json ? json(line) : text(line));
        out.flush();
    }

    private static String text(Line line) {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-24s %-5s %7.1f MB", line.model
                .getFileName(), Arguments.spelt(line.weights), line.bytes / 1e6));
        line.numbers.forEach((name, value) -> text.append(String.format(Locale.ROOT, "  %s %.6g", name, value)));
        return text.toString();
    }

    static String json(Line line) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("model", line.model.toString());
            json.writeStringField("weights", Arguments.spelt(line.weights));
            json.writeNumberField("weight_bytes", line.bytes);
            for (Map.Entry<String, Double> number : line.numbers.entrySet()) {
                json.writeNumberField(number.getKey().replace(' ', '_'), number.getValue());
            }
            json.writeEndObject();
        }
        return text.toString();
    }
}
