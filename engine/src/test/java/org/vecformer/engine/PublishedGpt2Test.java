package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.model.Trace;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * What is published of the real GPT-2 models, where their weights are: in the folder that the environment variable
 * {@value #FOLDER_VARIABLE} ({@value #DISTILLED_VARIABLE} for distilgpt2) names, in the local models folder or in the
 * Hugging Face cache.
 */
class PublishedGpt2Test {

    private static final String FOLDER_VARIABLE = "VECFORMER_GPT2";
    private static final String DISTILLED_VARIABLE = "VECFORMER_DISTILGPT2";
    private static final GenerationOptions GREEDY = GenerationOptions.defaults();

    private static ModelFiles files(String name, String variable) throws IOException {
        String folder = System.getenv(variable);
        if (folder != null) {
            // Somebody who names a folder wants to hear what is wrong with it.
            return ModelFiles.of(Path.of(folder));
        }
        return found(name).orElseGet(() -> Assumptions.abort("skipped: the published weights of " + name
                + " are not here: set " + variable + " to their folder, or download them into the Hugging Face cache"));
    }

    private static Optional<ModelFiles> found(String name) {
        try {
            return Optional.of(ModelFiles.resolve(name));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private static Engine engine() {
        return Engine.create(EngineOptions.defaults());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "My favourite movie is | 1 | ' The'",
        "My favourite movie is | 15 | ' The Matrix, and I''m not sure if I''ll ever watch it again'",
        "My favourite movie is | 50 | ' The Matrix, and I''m not sure if I''ll ever watch it again.\n\nI''m not sure "
                + "if I''ll ever watch it again. I''m not sure if I''ll ever watch it again. I''m not sure if I''ll ever'",
        "Machine learning with TensorFlow can do amazing | 1 | ' things'"})
    void writesWhatIsPublished(String prompt, int tokens, String continuation) throws IOException {
        ModelFiles files = files("gpt2", FOLDER_VARIABLE);
        Tokenizer tokenizer = Tokenizer.load(files.directory());
        assertThat(tokenizer.ids("My favourite movie is")).containsExactly(3666, 12507, 3807, 318);
        try (Engine engine = engine();
                Gpt model = Gpt.load(engine, files, LoadOptions.defaults());
                TextGenerator generator = TextGenerator.open(model, tokenizer)) {
            assertThat(model.config().layers()).as("this is the small GPT-2").isEqualTo(12);
            GenerationResult result = generator.generate(prompt, GREEDY.withMaxNewTokens(tokens), TokenListener.NONE);
            assertThat(result.text()).isEqualTo(continuation);
            assertThat(result.ids()).hasSize(tokens);
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void continuesAsTheOraclesPublishedRowsDo() throws IOException {
        Path published = Oracle.shared("oracle/models/published/published.jsonl");
        ModelFiles files = files("gpt2", FOLDER_VARIABLE);
        try (Engine engine = engine(); Gpt model = Gpt.load(engine, files, LoadOptions.defaults())) {
            assertThat(checkRows(published, "gpt2-", model)).isEqualTo(6);
        }
    }

    @Test
    void continuesAsTheDistilledModelDoes() throws IOException {
        Path published = Oracle.shared("oracle/models/published/published.jsonl");
        ModelFiles files = files("distilgpt2", DISTILLED_VARIABLE);
        try (Engine engine = engine(); Gpt model = Gpt.load(engine, files, LoadOptions.defaults())) {
            assertThat(checkRows(published, "distilgpt2-", model)).isEqualTo(1);
        }
    }

    private static int checkRows(Path published, String idPrefix, Gpt model) {
        int rows = 0;
        for (JsonNode row : Oracle.rows(published)) {
            if (row.get("id").asText().startsWith(idPrefix)) {
                if (row.get("task").asText().equals("greedy")) {
                    checkGreedy(row, model);
                } else {
                    checkHidden(row, model);
                }
                rows++;
            }
        }
        return rows;
    }

    private static void checkGreedy(JsonNode row, Gpt model) {
        int[] prompt = Oracle.ints(row.get("prompt_ids"));
        int[] expected = Oracle.ints(row.get("output_ids"));
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            int[] got = generator.generate(prompt, GREEDY.withMaxLength(expected.length), TokenListener.NONE).ids();
            assertThat(got).as(row.get("id").asText())
                    .isEqualTo(java.util.Arrays.copyOfRange(expected, prompt.length, expected.length));
        }
    }

    private static void checkHidden(JsonNode row, Gpt model) {
        int[] ids = Oracle.ints(row.get("input_ids"));
        int last = model.config().layers();
        Map<Integer, float[]> states = new TreeMap<>();
        try (Session session = model.openSession(SessionOptions.defaults())) {
            session.trace(new Trace() {
                @Override
                public void hidden(int layer, int position, float[] state) {
                    if (layer == last) {
                        states.put(position, state);
                    }
                }
            });
            session.batch().add(session.newSequence(), ids, 0, ids.length, Logits.NONE);
            session.step(session.batch());
        }
        double tolerance = row.get("tolerance").asDouble();
        for (int i = 0; i < row.get("values").size(); i++) {
            assertThat((double) states.get(0)[i]).as("%s, number %d", row.get("id").asText(), i)
                    .isCloseTo(row.get("values").get(i).asDouble(), within(tolerance));
        }
    }
}
