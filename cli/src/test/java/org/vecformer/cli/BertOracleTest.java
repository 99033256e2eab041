package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** What the commands tell of BERTs against what Hugging Face's pipelines told. */
class BertOracleTest {
    private static final double PROBABILITY = 1e-5;
    private static final float NUMBER = 2e-4f;

    @TempDir
    Path folder;

    private static Path shared(String path) {
        Path file = Path.of(System.getProperty("vecformer.shared", "../../shared")).resolve(path);
        assumeTrue(Files.exists(file), "skipped: the reference files (../shared) are not here");
        return file;
    }

    private static Path model(String name) {
        return shared("oracle/models").resolve(name);
    }

    private static List<Map<String, Object>> rows(Path file) throws IOException {
        return Files.readAllLines(file).stream().filter(line -> !line.isBlank())
                .map(line -> CommandRun.asObject(CommandRun.json(line))).toList();
    }

    /** Runs all rows that have the same arguments as the lines of one command; checks that each row has a result. */
    private static void inGroups(List<Map<String, Object>> rows, GroupRun run) {
        Map<Object, List<Map<String, Object>>> groups = new LinkedHashMap<>();
        rows.forEach(row -> groups.computeIfAbsent(row.get("args"), _ -> new ArrayList<>()).add(row));
        groups.forEach((args, group) -> {
            CommandRun result = run.run(CommandRun.asObject(args), group);
            assertThat(result.status()).as(result.err()).isZero();
            List<String> lines = result.out().lines().toList();
            assertThat(lines).hasSameSizeAs(group);
            for (int i = 0; i < lines.size(); i++) {
                run.check(group.get(i), (List<?>) CommandRun.json(lines.get(i)));
            }
        });
    }

    /** One kind of rows. */
    private interface GroupRun {
        CommandRun run(Map<String, Object> args, List<Map<String, Object>> group);

        void check(Map<String, Object> row, List<?> result);
    }

    /** The rows as lines, with some of their fields. */
    private static String lines(List<Map<String, Object>> rows, String... fields) {
        StringWriter lines = new StringWriter();
        for (Map<String, Object> row : rows) {
            List<String> members = new ArrayList<>();
            for (String field : fields) {
                Object value = row.get(field);
                if (value != null) {
                    members.add("\"" + field.replace("input_ids", "ids") + "\":"
                            + (value instanceof String text ? quoted(text) : value.toString()));
                }
            }
            lines.write("{" + String.join(",", members) + "}\n");
        }
        return lines.toString();
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static CommandRun command(String lines, Path model, List<Object> arguments) {
        List<String> line = new ArrayList<>();
        arguments.forEach(argument -> line.add(argument.toString()));
        line.addAll(List.of("--jsonl", "--model", model.toString()));
        return CommandRun.withInput(lines, line.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-tiny-mlm", "bert-mini-pretraining"})
    void fillMask(String name) throws IOException {
        inGroups(rows(model(name).resolve("fill_mask.jsonl")), new GroupRun() {
            @Override
            public CommandRun run(Map<String, Object> args, List<Map<String, Object>> group) {
                List<Object> line = new ArrayList<>(List.of("fill-mask", "--top-k", args.get("top_k")));
                if (args.get("targets") instanceof List<?> targets) {
                    line.addAll(List.of("--targets",
                            String.join(",", targets.stream().map(Object::toString).toList())));
                }
                return command(lines(group, "text"), model(name), line);
            }

            @Override
            public void check(Map<String, Object> row, List<?> masks) {
                List<?> expected = (List<?>) row.get("output");
                List<?> lists = expected.getFirst() instanceof List ? expected : List.of(expected);
                assertThat(masks).hasSameSizeAs(lists);
                for (int i = 0; i < masks.size(); i++) {
                    candidates((List<?>) lists.get(i),
                            (List<?>) CommandRun.asObject(masks.get(i)).get("candidates"));
                }
            }
        });
    }

    private static void candidates(List<?> expected, List<?> found) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.size(); i++) {
            Map<String, Object> reference = CommandRun.asObject(expected.get(i));
            Map<String, Object> candidate = CommandRun.asObject(found.get(i));
            assertThat(candidate).containsEntry("id", reference.get("token"))
                    .containsEntry("token", reference.get("token_str"))
                    .containsEntry("text", reference.get("sequence"));
            assertThat((double) candidate.get("probability")).isCloseTo((double) reference.get("score"),
                    within(PROBABILITY));
        }
    }

    @Test
    void classify() throws IOException {
        Path model = model("bert-mini-seq-cls");
        inGroups(rows(model.resolve("text_classification.jsonl")), new GroupRun() {
            @Override
            public CommandRun run(Map<String, Object> args, List<Map<String, Object>> group) {
                boolean all = args.containsKey("top_k") && args.get("top_k") == null;
                return command(lines(group.stream().map(BertOracleTest::flat).toList(), "text", "pair"), model,
                        List.of("classify", "--top-k", all ? 0 : 1,
                                "--function", Objects.requireNonNullElse(args.get("function_to_apply"), "auto")));
            }

            @Override
            public void check(Map<String, Object> row, List<?> labels) {
                Object output = row.get("output");
                same(output instanceof List<?> list ? list : List.of(output), labels, "label");
            }
        });
    }

    /** A pair is an object in the reference's rows. */
    private static Map<String, Object> flat(Map<String, Object> row) {
        if (row.get("text") instanceof String) {
            return row;
        }
        Map<String, Object> pair = CommandRun.asObject(row.get("text"));
        return Map.of("text", pair.get("text"), "pair", pair.get("text_pair"));
    }

    /** As many results with the same fields and scores. */
    private static void same(List<?> expected, List<?> found, String... fields) {
        assertThat(found).as(expected.toString()).hasSameSizeAs(expected);
        for (int i = 0; i < found.size(); i++) {
            Map<String, Object> reference = CommandRun.asObject(expected.get(i));
            Map<String, Object> result = CommandRun.asObject(found.get(i));
            for (String field : fields) {
                assertThat(result.get(field)).as(field + " of " + expected).isEqualTo(reference.get(field));
            }
            assertThat((double) result.get("score")).isCloseTo((double) reference.get("score"), within(PROBABILITY));
        }
    }

    @Test
    void tag() throws IOException {
        Path model = model("bert-mini-token-cls");
        inGroups(rows(model.resolve("token_classification.jsonl")), new GroupRun() {
            @Override
            public CommandRun run(Map<String, Object> args, List<Map<String, Object>> group) {
                return command(lines(group, "text"), model,
                        List.of("tag", "--aggregation", args.get("aggregation_strategy"), "--ignore-labels",
                                args.containsKey("ignore_labels") ? "" : "O"));
            }

            @Override
            public void check(Map<String, Object> row, List<?> entities) {
                same((List<?>) row.get("output"), entities, "entity", "entity_group", "index", "word", "start", "end");
            }
        });
    }

    @Test
    void answer() throws IOException {
        Path model = model("bert-mini-qa");
        inGroups(rows(model.resolve("question_answering.jsonl")), new GroupRun() {
            @Override
            public CommandRun run(Map<String, Object> args, List<Map<String, Object>> group) {
                return command(lines(group, "question", "context"), model, List.of("answer", "--top-k",
                        args.get("top_k"), "--max-answer-length", args.get("max_answer_len")));
            }

            @Override
            public void check(Map<String, Object> row, List<?> answers) {
                same((List<?>) row.get("output"), answers, "start", "end", "answer");
            }
        });
    }

    @Test
    void embed() throws IOException {
        Path model = shared("models/all-MiniLM-L6-v2");
        List<Map<String, Object>> rows = rows(shared("oracle/real-minilm/embeddings.jsonl"));
        CommandRun run = command(lines(rows, "text"), model, List.of("embed"));
        assertThat(run.status()).as(run.err()).isZero();
        List<Map<String, Object>> results = run.objects();
        assertThat(results).hasSameSizeAs(rows);
        for (int i = 0; i < rows.size(); i++) {
            assertThat(results.get(i)).containsEntry("dimensions", 384);
            List<?> expected = (List<?>) rows.get(i).get("embedding");
            List<?> found = (List<?>) ((List<?>) results.get(i).get("embeddings")).getFirst();
            assertThat(found).hasSameSizeAs(expected);
            for (int j = 0; j < 384; j++) {
                assertThat(((Number) found.get(j)).doubleValue())
                        .isCloseTo(((Number) expected.get(j)).doubleValue(), within(1e-5));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-mini-base", "bert-mini-pretraining", "bert-mini-seq-cls", "bert-mini-multilabel",
        "bert-mini-regression", "bert-mini-token-cls", "bert-mini-qa", "bert-mini-nsp"})
    void forward(String name) throws IOException {
        Path model = model(name);
        Path file = folder.resolve("numbers.safetensors");
        try (Safetensors golden = Safetensors.open(model.resolve("golden.safetensors"))) {
            for (Map<String, Object> row : rows(model.resolve("golden.jsonl"))) {
                CommandRun run = CommandRun.of("forward", "--ids", row.get("input_ids").toString(), "--type-ids",
                        row.get("token_type_ids").toString(), "--attention-mask",
                        row.get("attention_mask").toString(), "--all-hidden", "--quiet", "--model", model.toString(),
                        "--output", file.toString());
                assertThat(run.status()).as(run.err()).isZero();
                try (Safetensors numbers = Safetensors.open(file)) {
                    compare(row, golden, numbers);
                }
            }
        }
    }

    private static void compare(Map<String, Object> row, Safetensors golden, Safetensors numbers) throws IOException {
        List<?> mask = (List<?>) row.get("attention_mask");
        int compared = 0;
        for (TensorInfo tensor : numbers.tensors()) {
            String name = row.get("case") + "."
                    + (tensor.name().equals("logits") && golden.find(row.get("case") + ".logits").isEmpty()
                            ? "mlm_logits"
                            : tensor.name());
            if (golden.find(name).isEmpty()) {
                continue;
            }
            compared++;
            float[] expected = CommandsTest.read(golden, name);
            float[] found = CommandsTest.read(numbers, tensor.name());
            assertThat(found).hasSameSizeAs(expected);
            boolean ofPositions = tensor.shape().size() > 1;
            int columns = ofPositions ? tensor.shape().getLast().intValue() : expected.length;
            for (int i = 0; i < expected.length; i++) {
                if (!ofPositions || mask.get(i / columns).equals(1)) {
                    assertThat(found[i]).as(name).isCloseTo(expected[i], within(NUMBER));
                }
            }
        }
        assertThat(compared).as(row.get("case").toString()).isGreaterThanOrEqualTo(2);
        compareRow(row, "logits", numbers, "logits", 1, 0);
        compareRow(row, "start_logits", numbers, "logits", 2, 0);
        compareRow(row, "end_logits", numbers, "logits", 2, 1);
        compareRow(row, "nsp_logits", numbers, "seq_relationship_logits", 1, 0);
    }

    /** Numbers that stand in the row itself: every so-many-th of a tensor. */
    private static void compareRow(Map<String, Object> row, String field, Safetensors numbers, String tensor,
            int step, int first) throws IOException {
        if (!(row.get(field) instanceof List<?> expected)) {
            return;
        }
        List<?> mask = (List<?>) row.get("attention_mask");
        float[] found = CommandsTest.read(numbers, tensor);
        assertThat(found).hasSize(expected.size() * step);
        for (int i = 0; i < expected.size(); i++) {
            if (step == 1 || mask.get(i).equals(1)) {
                assertThat(found[first + i * step]).as(field).isCloseTo(((Number) expected.get(i)).floatValue(),
                        within(NUMBER));
            }
        }
    }
}
