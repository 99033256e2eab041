package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Safetensors;

/**
 * Hidden states and what every head tells agree with every reference file of every BERT in ../shared/oracle/models:
 * alone, and (on the CPU with the same bits) all together in one batch.
 */
@Tag("width")
@Tag("device")
class BertOracleTest {

    private static final float BOUND = 2e-4f;

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(2);
    }

    @AfterAll
    static void close() {
        if (engine != null) {
            engine.close();
        }
    }

    /** Everything that a model tells of one sequence; null for what it does not have. */
    private record Output(float[][][] hidden, float[] pooled, float[][] vocabulary, float[] nextSentence,
            float[] scores, float[][] tokenScores) {}

    @Test
    void everyHead() throws IOException {
        Path models = Oracle.shared("oracle/models");
        List<Path> directories = new ArrayList<>();
        try (Stream<Path> all = Stream.concat(Files.list(models), Files.list(models.resolve("bert-variants")))) {
            all.filter(d -> d.toString().contains("bert") && Files.exists(d.resolve("golden.jsonl"))).sorted()
                    .forEach(directories::add);
        }
        Set<String> checked = new TreeSet<>();
        int cases = 0;
        for (Path directory : directories) {
            if (directory.endsWith("bert-mini-multiple-choice")) {
                continue;
            }
            try (Bert model = load(directory);
                    Safetensors golden = Safetensors.open(directory.resolve("golden.safetensors"))) {
                List<JsonNode> rows = Oracle.rows(directory.resolve("golden.jsonl"));
                List<Output> together = run(model, rows.stream().map(BertOracleTest::input).toList());
                for (int i = 0; i < rows.size(); i++) {
                    JsonNode row = rows.get(i);
                    String what = directory.getFileName() + " " + row.get("case").asText();
                    Output alone = run(model, List.of(input(row))).getFirst();
                    if (TestBackends.onDevice()) {
                        check(row, golden, together.get(i), what + " in a batch", checked);
                    } else {
                        assertThat(alone).as("%s alone and in a batch", what).usingRecursiveComparison()
                                .isEqualTo(together.get(i));
                    }
                    check(row, golden, alone, what, checked);
                    cases++;
                }
            }
        }
        assertThat(directories).as("models").hasSizeGreaterThanOrEqualTo(20);
        assertThat(cases).as("cases").isGreaterThanOrEqualTo(120);
        assertThat(checked).containsExactlyInAnyOrder("cls", "end_logits", "hidden", "label_ids", "logits",
                "logits of a file", "mean_pooled", "mean_pooled_l2", "mlm_logits", "mlm_logsumexp", "mlm_top5",
                "nsp_logits", "pooler_output", "start_logits");
    }

    private static void check(JsonNode row, Safetensors golden, Output output, String what, Set<String> checked)
            throws IOException {
        String name = row.get("case").asText();
        int[] kept = kept(row);
        for (int layer = 0; layer < output.hidden.length; layer++) {
            if (golden.find(name + ".hidden_" + layer).isPresent()) {
                assertRows(Oracle.floats(golden, name + ".hidden_" + layer), kept, output.hidden[layer],
                        what + " hidden " + layer);
                checked.add("hidden");
            }
        }
        float[][] last = output.hidden[output.hidden.length - 1];
        for (String kind : List.of("cls", "pooler_output", "mean_pooled", "mean_pooled_l2", "mlm_logits", "logits",
                "mlm_logsumexp", "mlm_top5_values")) {
            if (golden.find(name + "." + kind).isEmpty()) {
                continue;
            }
            float[] expected = Oracle.floats(golden, name + "." + kind);
            switch (kind) {
                case "cls" -> assertRow(expected, 0, last[0], what);
                case "pooler_output" -> assertRow(expected, 0, output.pooled, what);
                case "mean_pooled" -> assertRow(expected, 0, mean(last, kept, false), what);
                case "mean_pooled_l2" -> assertRow(expected, 0, mean(last, kept, true), what);
                case "mlm_logits" -> assertRows(expected, kept, output.vocabulary, what + " MLM logits");
                case "logits" -> assertRows(expected, kept,
                        output.vocabulary != null ? output.vocabulary : output.tokenScores, what + " logits");
                case "mlm_logsumexp" -> {
                    for (int i : kept) {
                        assertThat(logSumExp(output.vocabulary[i])).as("%s logsumexp of row %d", what, i)
                                .isCloseTo(expected[i], Offset.offset((double) BOUND));
                    }
                }
                default -> {
                    int[] ids = Oracle.ids(golden, name + ".mlm_top5_ids");
                    for (int i : kept) {
                        for (int j = 5 * i; j < 5 * i + 5; j++) {
                            assertThat(output.vocabulary[i][ids[j]]).as("%s row %d, token %d", what, i, ids[j])
                                    .isCloseTo(expected[j], Offset.offset(BOUND));
                        }
                    }
                }
            }
            checked.add(kind.equals("logits") ? "logits of a file" : kind.replace("_values", ""));
        }
        if (row.has("nsp_logits")) {
            assertRow(floats(row.get("nsp_logits")), 0, output.nextSentence, what + " next sentence");
            checked.add("nsp_logits");
        }
        if (row.has("logits")) {
            assertRow(floats(row.get("logits")), 0,
                    output.scores != null ? output.scores : output.nextSentence, what + " scores");
            checked.add("logits");
        }
        for (String end : List.of("start_logits", "end_logits")) {
            if (row.has(end)) {
                for (int i : kept) {
                    assertThat(output.tokenScores[i][end.equals("start_logits") ? 0 : 1]).as("%s %s %d", what, end, i)
                            .isCloseTo((float) row.get(end).get(i).asDouble(), Offset.offset(BOUND));
                }
                checked.add(end);
            }
        }
        if (row.has("label_ids")) {
            for (int i : kept) {
                assertThat(indexOfLargest(output.tokenScores[i])).as("%s label of token %d", what, i)
                        .isEqualTo(row.get("label_ids").get(i).asInt());
            }
            checked.add("label_ids");
        }
    }

    @Test
    void multipleChoice() throws IOException {
        Path directory = Oracle.shared("oracle/models/bert-mini-multiple-choice");
        try (Bert model = load(directory)) {
            List<JsonNode> rows = Oracle.rows(directory.resolve("golden.jsonl"));
            assertThat(rows).isNotEmpty();
            for (JsonNode row : rows) {
                List<EncoderInput> choices = IntStream.range(0, row.get("choices").size())
                        .mapToObj(i -> new EncoderInput(Oracle.ints(row.get("input_ids").get(i)),
                                Oracle.ints(row.get("token_type_ids").get(i)),
                                Oracle.ints(row.get("attention_mask").get(i))))
                        .toList();
                List<Output> outputs = run(model, choices);
                for (int i = 0; i < choices.size(); i++) {
                    assertThat(outputs.get(i).scores).hasSize(1);
                    assertThat(outputs.get(i).scores[0]).isCloseTo((float) row.get("logits").get(i).asDouble(),
                            Offset.offset(BOUND));
                }
            }
        }
    }

    @Test
    void layoutsGiveTheSameBits() throws IOException {
        Path models = Oracle.shared("oracle/models");
        List<JsonNode> rows = Oracle.rows(models.resolve("bert-layouts/manifest.jsonl"));
        assertThat(rows).hasSize(5);
        for (JsonNode row : rows) {
            List<EncoderInput> input = List.of(EncoderInput.of(Oracle.ints(row.get("input_ids"))));
            try (Bert model = load(models.resolve("bert-layouts").resolve(row.get("dir").asText()));
                    Bert same = load(models.resolve(row.get("same_as").asText()))) {
                Output output = run(model, input).getFirst();
                Output expected = run(same, input).getFirst();
                assertThat(output.hidden).as(row.get("dir").asText()).isDeepEqualTo(expected.hidden);
                assertThat(output.pooled).isEqualTo(expected.pooled);
                if (!row.get("dir").asText().equals("encoder-only-no-prefix")) {
                    assertThat(model.heads()).containsExactlyInAnyOrder(Head.MASKED_LM, Head.NEXT_SENTENCE);
                    assertThat(output.vocabulary).isDeepEqualTo(expected.vocabulary);
                    assertThat(output.nextSentence).isEqualTo(expected.nextSentence);
                    assertThat(model.parameters()).isEqualTo(same.parameters());
                }
            }
        }
    }

    private static Bert load(Path directory) throws IOException {
        return Bert.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    private static EncoderInput input(JsonNode row) {
        return new EncoderInput(Oracle.ints(row.get("input_ids")),
                row.has("token_type_ids") ? Oracle.ints(row.get("token_type_ids")) : null,
                row.has("attention_mask") ? Oracle.ints(row.get("attention_mask")) : null);
    }

    private static int[] kept(JsonNode row) {
        return IntStream.range(0, row.get("input_ids").size())
                .filter(i -> !row.has("attention_mask") || row.get("attention_mask").get(i).asInt() == 1).toArray();
    }

    private static List<Output> run(Bert model, List<EncoderInput> inputs) {
        int layers = model.config().layers();
        int hidden = model.config().hiddenSize();
        List<Output> outputs = new ArrayList<>();
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            EncoderBatch batch = session.batch();
            for (EncoderInput input : inputs) {
                batch.add(input, model.has(Head.MASKED_LM)
                        ? IntStream.range(0, input.length()).filter(i -> input.attentionMask()[i] == 1).toArray()
                        : new int[0]);
            }
            float[][][] states = new float[layers + 1][batch.rows()][];
            session.trace(new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    states[layer][row] = state;
                }
            });
            session.run(batch);
            for (int s = 0; s < inputs.size(); s++) {
                int length = inputs.get(s).length();
                float[][][] rows = new float[layers + 1][length][hidden];
                float[][] vocabulary = rows(model, Head.MASKED_LM, length);
                float[][] tokenScores = rows(model,
                        model.has(Head.TOKEN_CLASSIFIER) ? Head.TOKEN_CLASSIFIER : Head.QUESTION_ANSWERING, length);
                for (int i = 0; i < length; i++) {
                    session.hidden(s, i, rows[layers][i]);
                    if (batch.row(s, i) >= 0) {
                        assertThat(states[layers][batch.row(s, i)]).isEqualTo(rows[layers][i]);
                        for (int layer = 0; layer < layers; layer++) {
                            rows[layer][i] = states[layer][batch.row(s, i)];
                        }
                        if (vocabulary != null) {
                            session.vocabularyLogits(s, i, vocabulary[i]);
                        }
                    }
                    if (tokenScores != null) {
                        session.tokenScores(s, i, tokenScores[i]);
                    }
                }
                float[] pooled = model.hasPooler() ? new float[hidden] : null;
                if (pooled != null) {
                    session.pooled(s, pooled);
                }
                float[] nextSentence = row(model, Head.NEXT_SENTENCE);
                if (nextSentence != null) {
                    session.nextSentence(s, nextSentence);
                }
                float[] scores = row(model,
                        model.has(Head.MULTIPLE_CHOICE) ? Head.MULTIPLE_CHOICE : Head.SEQUENCE_CLASSIFIER);
                if (scores != null) {
                    session.scores(s, scores);
                }
                outputs.add(new Output(rows, pooled, vocabulary, nextSentence, scores, tokenScores));
            }
        }
        return outputs;
    }

    private static float[] row(Bert model, Head head) {
        return model.has(head) ? new float[model.outputs(head)] : null;
    }

    private static float[][] rows(Bert model, Head head, int length) {
        return model.has(head) ? new float[length][model.outputs(head)] : null;
    }

    private static float[] mean(float[][] states, int[] kept, boolean normalized) {
        float[] mean = new float[states[0].length];
        for (int i : kept) {
            for (int d = 0; d < mean.length; d++) {
                mean[d] += states[i][d] / kept.length;
            }
        }
        double length = normalized
                ? Math.sqrt(IntStream.range(0, mean.length).mapToDouble(d -> mean[d] * mean[d]).sum())
                : 1;
        for (int d = 0; d < mean.length; d++) {
            mean[d] /= (float) length;
        }
        return mean;
    }

    private static int indexOfLargest(float[] scores) {
        return IntStream.range(0, scores.length).reduce((a, b) -> scores[b] > scores[a] ? b : a).orElseThrow();
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) array.get(i).asDouble();
        }
        return floats;
    }

    private static void assertRows(float[] expected, int[] kept, float[][] actual, String what) {
        for (int i : kept) {
            assertRow(expected, i * actual[i].length, actual[i], what + " row " + i);
        }
    }

    private static void assertRow(float[] expected, int from, float[] actual, String what) {
        float worst = 0;
        for (int i = 0; i < actual.length; i++) {
            // Not-a-number must not pass.
            float error = Math.abs(expected[from + i] - actual[i]);
            worst = error <= worst ? worst : error;
        }
        assertThat(worst).as(what).isLessThanOrEqualTo(BOUND);
        assertThat(Arrays.stream(IntStream.range(0, actual.length).mapToDouble(i -> actual[i]).toArray())
                .allMatch(Double::isFinite)).as("%s is finite", what).isTrue();
    }

    private static double logSumExp(float[] logits) {
        double max = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
        return max + Math.log(IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i] - max)).sum());
    }
}
