package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vecformer.tokenizer.Tokenizer;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * Prints how fast a text becomes ids, line by line on one thread, and, where there are peers with the same vocabulary,
 * as a multiple of theirs: in one process, in turns, round by round. All ids are compared first; a peer that has others
 * is a failure.
 * <p>
 * This program has no peers. The profile {@code peers} builds one that has: {@code TokenizerPeersReport}.
 */
public final class TokenizerReport {

    static final int OK = 0;
    static final int DIFFERENT = 1;
    static final int USAGE = 2;

    private static final int EXCERPT = 60;

    private static final String OPTIONS = """
              --tokenizer DIR  a folder with a vocabulary
              --text FILE      a text in UTF-8, or a folder with Java sources; tokenized line by line
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

    /**
     * A tokenizer and how it compares with our ids.
     *
     * @param name  what it is
     * @param ours  MB/s of our ids, one for each round
     * @param speed its own MB/s
     * @param ratio ours by its own, round by round
     */
    record Row(String name, Samples ours, Samples speed, Samples ratio) {}

    /** The lines of a text that are to be tokenized, and what there is of them. */
    record Lines(List<String> lines, long bytes) {

        /**
         * The lines of a file, or of all Java sources in a folder, that are not blank. Those with a special token in
         * them, as the sources of a tokenizer have, are left out: some libraries take them for plain text.
         *
         * @throws IOException if there are none, or they cannot be read
         */
        static Lines read(Path text, Tokenizer tokenizer) throws IOException {
            List<String> special = IntStream.range(0, tokenizer.vocabularySize()).filter(tokenizer::isSpecial)
                    .mapToObj(tokenizer::token).toList();
            List<String> lines = new ArrayList<>();
            for (Path file : files(text)) {
                Files.readString(file).lines()
                        .filter(line -> !line.isBlank() && special.stream().noneMatch(line::contains))
                        .forEach(lines::add);
            }
            if (lines.isEmpty()) {
                throw new IOException("the text " + text + " is empty");
            }
            return new Lines(lines,
                    lines.stream().mapToLong(line -> line.getBytes(StandardCharsets.UTF_8).length).sum());
        }

        private static List<Path> files(Path text) throws IOException {
            if (!Files.isDirectory(text)) {
                return List.of(text);
            }
            try (Stream<Path> walk = Files.walk(text)) {
                return walk.filter(file -> file.toString().endsWith(".java") && Files.isRegularFile(file)).sorted()
                        .toList();
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
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
        Tokenizer tokenizer = Tokenizer.load(folder);
        Lines text = Lines.read(options.text.orElseThrow(), tokenizer);
        List<TextTokenizer> all = open(tokenizer, folder, peers);
        try {
            List<String> failures = differences(all, text.lines);
            long ids = text.lines.stream().mapToLong(all.getFirst()::count).sum();
            List<Row> rows = measure(all, text, options.rounds, options.seconds);
            if (!options.json) {
                out.printf(Locale.ROOT, "%s; Java %s; %d lines, %.2f MB, %d ids; one thread; rounds: %d%n",
                        Machine.processor(), Runtime.version(), text.lines.size(), text.bytes / 1e6, ids,
                        options.rounds);
                out.printf("  %-48s %8s %-17s %s%n", "", "MB/s", "(least - most)", "first / this");
            }
            for (Row row : rows) {
                out.println(options.json ? json(row, text.bytes, ids) : text(row));
            }
            failures.forEach(failure -> err.println(program + ": " + failure));
            return failures.isEmpty() ? OK : DIFFERENT;
        } finally {
            all.forEach(TextTokenizer::close);
        }
    }

    /**
     * Ours and the peers on one text. The first row is our ids, with itself; the second our ids with offsets; then come
     * the peers.
     *
     * @param folder  with a vocabulary
     * @param text    a file, or a folder with Java sources
     * @param seconds how long each is timed in each round
     * @throws IllegalStateException if a peer's ids are not ours
     */
    static List<Row> rows(Path folder, Path text, Peers peers, int rounds, double seconds) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        Lines lines = Lines.read(text, tokenizer);
        List<TextTokenizer> all = open(tokenizer, folder, peers);
        try {
            List<String> failures = differences(all, lines.lines);
            if (!failures.isEmpty()) {
                throw new IllegalStateException(String.join("; ", failures));
            }
            return measure(all, lines, rounds, seconds);
        } finally {
            all.forEach(TextTokenizer::close);
        }
    }

    private static List<TextTokenizer> open(Tokenizer ours, Path directory, Peers peers) throws IOException {
        List<TextTokenizer> all = new ArrayList<>(List.of(new Ids(ours), new Encodings(ours)));
        all.addAll(peers.open(directory));
        return all;
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

    private static List<Row> measure(List<TextTokenizer> all, Lines text, int rounds, double seconds) {
        int count = all.size();
        // For the compiler.
        for (int i = 0; i < 2 * count; i++) {
            speed(all.get(i % count), text, 2 * seconds);
        }
        double[][] speeds = new double[count][rounds];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < count; i++) {
                int turn = (round + i) % count;
                speeds[turn][round] = speed(all.get(turn), text, seconds);
            }
        }
        Samples ours = new Samples(speeds[0]);
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Samples speed = new Samples(speeds[i]);
            rows.add(new Row(all.get(i).name(), ours, speed, ours.shareOf(1, speed)));
        }
        return rows;
    }

    /** MB of UTF-8 per second. */
    private static double speed(TextTokenizer tokenizer, Lines text, double seconds) {
        long start = System.nanoTime();
        long elapsed;
        long done = 0;
        do {
            int ids = 0;
            for (String line : text.lines) {
                ids += tokenizer.count(line);
            }
            if (ids == 0) {
                throw new IllegalStateException(tokenizer.name() + " gave no ids: what was measured is wrong");
            }
            done += text.bytes;
            elapsed = System.nanoTime() - start;
        } while (elapsed < seconds * 1e9);
        return done / 1e6 / (elapsed / 1e9);
    }

    private static String text(Row row) {
        Samples ratio = row.ratio;
        return String.format(Locale.ROOT, "  %-48s %8.1f %-17s %.2f (%.2f - %.2f)", row.name, row.speed.median(),
                String.format(Locale.ROOT, "(%.1f - %.1f)", row.speed.least(), row.speed.most()), ratio.median(),
                ratio.least(), ratio.most());
    }

    private static String json(Row row, long bytes, long ids) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("test", "tokenize");
            json.writeStringField("tokenizer", row.name);
            json.writeNumberField("threads", 1);
            json.writeNumberField("bytes", bytes);
            json.writeNumberField("ids", ids);
            json.writeNumberField("rounds", row.speed.values().length);
            json.writeStringField("unit", "MB/s");
            row.speed.write(json, "");
            row.ratio.write(json, "first_by_this_");
            json.writeEndObject();
        }
        return text.toString();
    }
}
