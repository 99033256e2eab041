package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Safetensors;

/**
 * Logits and hidden states agree with every reference file of every GPT in ../shared/oracle/models.
 * <p>
 * The reference computes padded batches; here masked tokens are left out and the others keep their position ids.
 */
@Tag("width")
@Tag("device")
class GptOracleTest {

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

    /** What a run gave: a row of logits and the hidden states of each layer, for each token. */
    private record Output(float[][] logits, float[][][] hidden) {}

    @Test
    void languageModels() throws IOException {
        Path models = Oracle.shared("oracle/models");
        List<Path> directories = new ArrayList<>();
        try (Stream<Path> all = Stream.concat(Files.list(models), Files.list(models.resolve("gpt2-variants")))) {
            all.filter(d -> d.toString().contains("gpt") && Files.exists(d.resolve("golden.safetensors")))
                    .filter(d -> !d.endsWith("gpt2-double-heads")).sorted().forEach(directories::add);
        }
        int cases = 0;
        for (Path directory : directories) {
            try (Gpt model = load(directory);
                    Safetensors golden = Safetensors.open(directory.resolve("golden.safetensors"))) {
                for (JsonNode row : Oracle.rows(directory.resolve("golden.jsonl"))) {
                    check(model, golden, row, directory.getFileName() + " " + row.get("case").asText());
                    cases++;
                }
            }
        }
        assertThat(directories).as("models").hasSizeGreaterThanOrEqualTo(20);
        assertThat(cases).as("cases").isGreaterThanOrEqualTo(75);
    }

    private static void check(Gpt model, Safetensors golden, JsonNode row, String what) throws IOException {
        String name = row.get("case").asText();
        int[] ids = Oracle.ints(row.get("input_ids"));
        int[] kept = row.has("attention_mask")
                ? IntStream.range(0, ids.length).filter(i -> row.get("attention_mask").get(i).asInt() == 1).toArray()
                : IntStream.range(0, ids.length).toArray();
        Output output = run(model, pick(ids, kept), pick(row.get("position_ids"), kept),
                pick(row.get("token_type_ids"), kept));
        if (golden.find(name + ".logits").isPresent()) {
            assertRows(Oracle.floats(golden, name + ".logits"), kept, output.logits, what + " logits");
        }
        if (golden.find(name + ".logits_last").isPresent()) {
            float[] last = Oracle.floats(golden, name + ".logits_last");
            assertRow(last, 0, output.logits[kept.length - 1], what + " last logits");
        }
        float[] best = Oracle.floats(golden, name + ".top8_values");
        int[] bestIds = Oracle.ids(golden, name + ".top8_ids");
        for (int i = 0; i < kept.length; i++) {
            for (int j = 8 * kept[i]; j < 8 * kept[i] + 8; j++) {
                assertThat(output.logits[i][bestIds[j]]).as("%s row %d, token %d", what, i, bestIds[j]).isCloseTo(
                        best[j],
                        Offset.offset(BOUND));
            }
        }
        float[] logSumExp = Oracle.floats(golden, name + ".logsumexp");
        for (int i = 0; i < kept.length; i++) {
            assertThat(logSumExp(output.logits[i])).as("%s logsumexp of row %d", what, i)
                    .isCloseTo(logSumExp[kept[i]], Offset.offset((double) BOUND));
        }
        int layers = 0;
        for (int layer = 0; layer < output.hidden.length; layer++) {
            if (golden.find(name + ".hidden_" + layer).isPresent()) {
                assertRows(Oracle.floats(golden, name + ".hidden_" + layer), kept, output.hidden[layer],
                        what + " hidden " + layer);
                layers++;
            }
        }
        if (what.startsWith("gpt2-mini c") || what.startsWith("gpt2-tiny c") || what.startsWith("openai")) {
            assertThat(layers).as("%s: layers with reference states", what).isEqualTo(output.hidden.length);
        }
    }

    @Test
    void layoutsGiveTheSameLogits() throws IOException {
        Path models = Oracle.shared("oracle/models");
        List<JsonNode> rows = Oracle.rows(models.resolve("gpt2-layouts/manifest.jsonl"));
        assertThat(rows).hasSize(7);
        for (JsonNode row : rows) {
            int[] ids = Oracle.ints(row.get("input_ids"));
            try (Gpt model = load(models.resolve("gpt2-layouts").resolve(row.get("dir").asText()));
                    Gpt same = load(models.resolve(row.get("same_logits_as").asText()))) {
                assertThat(run(model, ids, null, null).logits).as(row.get("dir").asText())
                        .isDeepEqualTo(run(same, ids, null, null).logits);
                assertThat(model.parameters()).isEqualTo(same.parameters());
            }
        }
    }

    @Test
    void doubleHeads() throws IOException {
        Path directory = Oracle.shared("oracle/models/gpt2-double-heads");
        try (Gpt model = load(directory);
                Safetensors golden = Safetensors.open(directory.resolve("golden.safetensors"))) {
            assertThat(model.head()).isEqualTo(Gpt.Head.DOUBLE_HEADS);
            for (JsonNode row : Oracle.rows(directory.resolve("golden.jsonl"))) {
                float[] logits = Oracle.floats(golden, row.get("case").asText() + ".lm_logits");
                int length = row.get("input_ids").get(0).size();
                List<int[]> choices = new ArrayList<>();
                for (int choice = 0; choice < row.get("input_ids").size(); choice++) {
                    JsonNode mask = row.get("attention_mask").get(choice);
                    int[] kept = IntStream.range(0, length).filter(i -> mask.get(i).asInt() == 1).toArray();
                    int[] ids = pick(row.get("input_ids").get(choice), kept);
                    assertThat(ids).hasSize(row.get("mc_token_ids").get(choice).asInt() + 1);
                    int first = choice * length;
                    assertRows(logits, IntStream.of(kept).map(i -> first + i).toArray(),
                            run(model, ids, null, null).logits, row.get("case").asText());
                    choices.add(ids);
                }
                assertRow(floats(row.get("mc_logits")), 0, choose(model, choices, null), row.get("case").asText());
            }
        }
    }

    /**
     * The committed models of persona chat: token types, added tokens, both heads. What is expected is transformers' and
     * PyTorch's, see the README beside them.
     */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-gpt2", "tiny-openai-gpt"})
    void personaChat(String name) throws IOException, URISyntaxException {
        Path directory = Path.of(GptOracleTest.class.getResource("/dialog/" + name).toURI());
        try (Gpt model = load(directory);
                Safetensors golden = Safetensors.open(directory.resolve("golden.safetensors"))) {
            assertThat(model).isInstanceOf(name.equals("tiny-gpt2") ? Gpt2.class : OpenAiGpt.class);
            List<int[]> inputs = new ArrayList<>();
            List<int[]> types = new ArrayList<>();
            List<JsonNode> rows = Oracle.rows(directory.resolve("golden.jsonl"));
            for (JsonNode row : rows) {
                String what = row.get("case").asText();
                int[] ids = Oracle.ints(row.get("input_ids"));
                int[] ownTypes = Oracle.ints(row.get("token_type_ids"));
                float[][] logits = run(model, ids, null, ownTypes).logits;
                if (golden.find(what + ".lm_logits").isPresent()) {
                    assertRows(Oracle.floats(golden, what + ".lm_logits"), IntStream.range(0, ids.length).toArray(),
                            logits, what);
                } else {
                    assertRow(Oracle.floats(golden, what + ".lm_logits_last"), 0, logits[ids.length - 1], what);
                }
                float[] logSumExp = Oracle.floats(golden, what + ".logsumexp");
                for (int i = 0; i < ids.length; i++) {
                    assertThat(logSumExp(logits[i])).as(what).isCloseTo(logSumExp[i], Offset.offset((double) BOUND));
                }
                inputs.add(ids);
                types.add(ownTypes);
            }
            float[] choices = choose(model, inputs, types);
            for (int i = 0; i < choices.length; i++) {
                assertRow(floats(rows.get(i).get("mc_logits")), 0, new float[]{choices[i]}, "choice " + i);
                float[] alone = choose(model, List.of(inputs.get(i)), List.of(types.get(i)));
                if (!TestBackends.onDevice()) {
                    assertThat(alone[0]).as("alone and together, the same bits").isEqualTo(choices[i]);
                }
            }
        }
    }

    /** What the multiple choice head says of each text, all in one batch. */
    private static float[] choose(Gpt model, List<int[]> texts, List<int[]> types) {
        int tokens = texts.stream().mapToInt(text -> text.length).sum();
        List<Sequence> sequences = new ArrayList<>();
        try (Session session = model.openSession(new SessionOptions(2L * model.config().contextLength() * texts.size(),
                tokens))) {
            for (int i = 0; i < texts.size(); i++) {
                sequences.add(session.newSequence());
                session.batch().add(sequences.get(i), texts.get(i), types == null ? null : types.get(i), 0,
                        texts.get(i).length, Logits.LAST);
            }
            session.step(session.batch());
            float[] choices = new float[texts.size()];
            // The last first: all are computed at the first question.
            for (int i = choices.length - 1; i >= 0; i--) {
                choices[i] = session.choice(i);
            }
            return choices;
        } finally {
            sequences.forEach(Sequence::close);
        }
    }

    @Test
    void classifiers() throws IOException {
        for (String name : List.of("gpt2-seq-cls", "gpt2-token-cls", "gpt2-qa")) {
            Path directory = Oracle.shared("oracle/models/" + name);
            try (Gpt model = load(directory)) {
                List<JsonNode> rows = Oracle.rows(directory.resolve("golden.jsonl"));
                assertThat(rows).isNotEmpty();
                for (JsonNode row : rows) {
                    int length = (int) IntStream.of(Oracle.ints(row.get("attention_mask"))).filter(m -> m == 1).count();
                    float[][] logits = run(model, Arrays.copyOf(Oracle.ints(row.get("input_ids")), length),
                            null, null).logits;
                    String what = name + " " + row.get("case").asText();
                    switch (model.head()) {
                        case SEQUENCE_CLASSIFIER -> assertRow(floats(row.get("logits")), 0, logits[length - 1], what);
                        case TOKEN_CLASSIFIER ->
                            assertRows(floats(row.get("logits")), IntStream.range(0, length).toArray(), logits, what);
                        case QUESTION_ANSWERING -> {
                            for (int i = 0; i < length; i++) {
                                assertThat(logits[i][0]).as(what).isCloseTo(
                                        (float) row.get("start_logits").get(i).asDouble(),
                                        Offset.offset(BOUND));
                                assertThat(logits[i][1]).as(what).isCloseTo(
                                        (float) row.get("end_logits").get(i).asDouble(),
                                        Offset.offset(BOUND));
                            }
                        }
                        case LANGUAGE_MODEL, DOUBLE_HEADS ->
                            throw new AssertionError(what + " was loaded as a language model");
                    }
                }
            }
        }
    }

    private static Gpt load(Path directory) throws IOException {
        return Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    private static Output run(Gpt model, int[] ids, int[] positions, int[] types) {
        float[][][] hidden = new float[model.config().layers() + 1][ids.length][];
        float[][] logits = new float[ids.length][model.outputs()];
        try (Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            session.trace(new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    hidden[layer][row] = state;
                }
            });
            session.batch().add(sequence, ids, positions, types, Logits.ALL);
            session.step(session.batch());
            for (int i = 0; i < ids.length; i++) {
                session.logits(i, logits[i]);
            }
        }
        return new Output(logits, hidden);
    }

    private static int[] pick(int[] all, int[] kept) {
        return IntStream.of(kept).map(i -> all[i]).toArray();
    }

    private static int[] pick(JsonNode all, int[] kept) {
        return all == null ? null : pick(Oracle.ints(all), kept);
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) array.get(i).asDouble();
        }
        return floats;
    }

    private static void assertRows(float[] expected, int[] expectedRows, float[][] actual, String what) {
        for (int i = 0; i < expectedRows.length; i++) {
            assertRow(expected, expectedRows[i] * actual[i].length, actual[i], what + " row " + i);
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
    }

    private static double logSumExp(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }
}
