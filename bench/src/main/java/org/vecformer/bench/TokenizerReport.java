package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.vecformer.tokenizer.Tokenizer;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints how fast a text becomes ids, line by line on one thread, and, where there are peers with the same vocabulary,
 * as a multiple of theirs: in one process, in turns, round by round. All ids are compared first; a peer that has others
 * is a failure.
 * <p>
 * This program has no peers. The profile {@code peers} builds one that has: {@code HuggingFaceReport}.
 */
public final class TokenizerReport {

    static final int OK = 0;
    static final int DIFFERENT = 1;
    static final int USAGE = 2;

    private static final int EXCERPT = 60;

    private static final String OPTIONS = """
              --tokenizer DIR  a folder with a vocabulary
              --text FILE      a text in UTF-8; its lines are tokenized one by one
              --rounds N       how often everything is measured (default: 7)
              --seconds S      how long each tokenizer is timed in each round, at least (default: 0.5)
              --json           JSON lines instead of a table
              --help           this text
            """;

    /** What the command line asks for. */
    record Options(Optional<Path> tokenizer, Optional<Path> text, int rounds, double seconds, boolean json,
            boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            Optional<Path> tokenizer = Optional.empty();
            Optional<Path> text = Optional.empty();
            int rounds = 7;
            double seconds = 0.5;
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--tokenizer" -> tokenizer = Optional.of(arguments.path());
                    case "--text" -> text = Optional.of(arguments.path());
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--seconds" -> seconds = arguments.seconds();
                    default -> throw arguments.unknown();
                }
            }
            if (!help && (tokenizer.isEmpty() || text.isEmpty())) {
                throw new IllegalArgumentException((tokenizer.isEmpty() ? "--tokenizer" : "--text") + " is missing");
            }
            return new Options(tokenizer, text, rounds, seconds, json, help);
        }
    }

    /** Who else has a tokenizer for the files of a folder. */
    interface Peers {
        List<TextTokenizer> open(Path directory) throws IOException;
    }

    /** Ours, the short way: ids alone. */
    private record Ids(Tokenizer tokenizer) implements TextTokenizer {

        @Override
        public String name() {
            return "vecformer, ids";
        }

        @Override
        public int count(String text) {
            return tokenizer.ids(text).length;
        }

        @Override
        public int[] ids(String text) {
            return tokenizer.ids(text);
        }
    }

    /** Ours, the long way: tokens and where they come from. */
    private record Encodings(Tokenizer tokenizer) implements TextTokenizer {

        @Override
        public String name() {
            return "vecformer, ids and offsets";
        }

        @Override
        public int count(String text) {
            return tokenizer.encode(text).size();
        }

        @Override
        public int[] ids(String text) {
            return tokenizer.encode(text).ids();
        }
    }

    private TokenizerReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = run("TokenizerReport", args, _ -> List.of(), System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String program, String[] args, Peers peers, PrintStream out, PrintStream err) {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println(program + ": " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.printf("usage: java -cp ... org.vecformer.bench.%s [options]%n", program);
            out.print(OPTIONS);
            return OK;
        }
        try {
            return report(program, options, peers, out, err);
        } catch (IOException e) {
            err.println(program + ": " + e.getMessage());
            return USAGE;
        }
    }

    private static int report(String program, Options options, Peers peers, PrintStream out, PrintStream err)
            throws IOException {
        Path folder = options.tokenizer.orElseThrow();
        Path text = options.text.orElseThrow();
        Tokenizer ours = Tokenizer.load(folder);
        List<String> lines = Files.readString(text).lines().filter(line -> !line.isBlank()).toList();
        if (lines.isEmpty()) {
            throw new IOException("the text " + text + " is empty");
        }
        List<TextTokenizer> all = new ArrayList<>(List.of(new Ids(ours), new Encodings(ours)));
        try {
            all.addAll(peers.open(folder));
            List<String> failures = differences(all, lines);
            measure(options, all, lines, out);
            failures.forEach(failure -> err.println(program + ": " + failure));
            return failures.isEmpty() ? OK : DIFFERENT;
        } finally {
            all.forEach(TextTokenizer::close);
        }
    }

    /** A sentence for each tokenizer whose ids are not the first one's. */
    static List<String> differences(List<TextTokenizer> all, List<String> lines) {
        List<String> failures = new ArrayList<>();
        for (TextTokenizer other : all.subList(1, all.size())) {
            List<String> different = lines.stream()
                    .filter(line -> !Arrays.equals(all.getFirst().ids(line), other.ids(line))).toList();
            if (!different.isEmpty()) {
                String line = different.getFirst();
                failures.add(other.name() + " has other ids than ours for " + different.size() + " of " + lines.size()
                        + " lines; the first of them begins with \""
                        + line.substring(0, Math.min(EXCERPT, line.length())) + "\"");
            }
        }
        return failures;
    }

    private static void measure(Options options, List<TextTokenizer> all, List<String> lines, PrintStream out)
            throws IOException {
        long bytes = 0;
        long ids = 0;
        for (String line : lines) {
            bytes += line.getBytes(StandardCharsets.UTF_8).length;
            ids += all.getFirst().count(line);
        }
        int count = all.size();
        // For the compiler.
        for (int i = 0; i < 2 * count; i++) {
            speed(all.get(i % count), lines, bytes, 2 * options.seconds);
        }
        double[][] speeds = new double[count][options.rounds];
        for (int round = 0; round < options.rounds; round++) {
            for (int i = 0; i < count; i++) {
                int turn = (round + i) % count;
                speeds[turn][round] = speed(all.get(turn), lines, bytes, options.seconds);
            }
        }
        if (!options.json) {
            out.printf(Locale.ROOT, "%s; Java %s; %d lines, %.2f MB, %d ids; one thread; rounds: %d%n",
                    Machine.processor(), Runtime.version(), lines.size(), bytes / 1e6, ids, options.rounds);
            out.printf("  %-48s %8s %-17s %s%n", "", "MB/s", "(least - most)", "first / this");
        }
        Samples first = new Samples(speeds[0]);
        for (int i = 0; i < count; i++) {
            Samples speed = new Samples(speeds[i]);
            Samples ratio = i == 0 ? null : first.shareOf(1, speed);
            out.println(options.json
                    ? json(all.get(i).name(), bytes, ids, speed, ratio)
                    : text(all.get(i).name(), speed, ratio));
        }
    }

    /** MB of UTF-8 per second. */
    private static double speed(TextTokenizer tokenizer, List<String> lines, long bytes, double seconds) {
        long start = System.nanoTime();
        long elapsed;
        long done = 0;
        do {
            int ids = 0;
            for (String line : lines) {
                ids += tokenizer.count(line);
            }
            if (ids == 0) {
                throw new IllegalStateException(tokenizer.name() + " gave no ids: what was measured is wrong");
            }
            done += bytes;
            elapsed = System.nanoTime() - start;
        } while (elapsed < seconds * 1e9);
        return done / 1e6 / (elapsed / 1e9);
    }

    private static String text(String name, Samples speed, Samples ratio) {
        return String.format(Locale.ROOT, "  %-48s %8.1f %-17s %s", name, speed.median(),
                String.format(Locale.ROOT, "(%.1f - %.1f)", speed.least(), speed.most()),
                ratio == null
                        ? ""
                        : String.format(Locale.ROOT, "%.2f (%.2f - %.2f)", ratio.median(), ratio.least(), ratio.most()))
                .stripTrailing();
    }

    private static String json(String name, long bytes, long ids, Samples speed, Samples ratio) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", "tokenize");
            json.writeStringField("tokenizer", name);
            json.writeNumberField("threads", 1);
            json.writeNumberField("bytes", bytes);
            json.writeNumberField("ids", ids);
            json.writeNumberField("rounds", speed.values().length);
            json.writeStringField("unit", "MB/s");
            speed.write(json, "");
            if (ratio != null) {
                ratio.write(json, "first_by_this_");
            }
            json.writeEndObject();
        }
        return text.toString();
    }
}
