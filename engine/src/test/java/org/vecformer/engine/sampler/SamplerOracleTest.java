package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Every row of the oracle's {@code logits_process} files that needs only the samplers there are: what Hugging Face's
 * processors gave, float for float.
 */
class SamplerOracleTest {
    @Test
    void singleProcessorsAgree() throws IOException {
        int checked = 0;
        for (JsonNode row : rows("single.jsonl")) {
            Optional<Sampler> sampler = sampler(row.get("processor").asText(), row.get("params"));
            if (sampler.isPresent() && !row.has("fragile")) {
                check(row, sampler.get(), filterValue(row.get("params")));
                checked++;
            }
        }
        assertThat(checked).isEqualTo(186);
    }

    @Test
    void callsRecordedFromHuggingFacesOwnTestsAgree() throws IOException {
        int checked = 0;
        for (JsonNode row : rows("hf_own_tests.jsonl")) {
            Optional<Sampler> sampler = sampler(row.get("processor").asText(), row.get("params"));
            if (sampler.isPresent()) {
                check(row, sampler.get(), filterValue(row.get("params")));
                checked++;
            }
        }
        assertThat(checked).isEqualTo(24);
    }

    @Test
    void pipelinesAgree() throws IOException {
        int checked = 0;
        for (JsonNode row : rows("pipelines.jsonl")) {
            JsonNode config = row.get("generation_config");
            // Beam search asks its processors to leave a second token (two for each end token, plus one).
            int keep = config.path("num_beams").asInt(1) > 1 ? 2 : 1;
            List<Sampler> chain = new ArrayList<>();
            for (JsonNode processor : row.get("processors_in_order")) {
                switch (processor.asText()) {
                    case "TemperatureLogitsWarper" -> chain.add(new Temperature(config.get("temperature").asDouble()));
                    case "TopKLogitsWarper" -> chain.add(new TopK(config.get("top_k").asInt(), keep));
                    case "TopPLogitsWarper" -> chain.add(new TopP(config.get("top_p").asDouble(), keep));
                    default -> {
                    }
                }
            }
            if (chain.size() == row.get("processors_in_order").size() && !row.has("fragile")) {
                check(row, new SamplerChain(chain), Float.NEGATIVE_INFINITY);
                checked++;
            }
        }
        assertThat(checked).isEqualTo(24);
    }

    @Test
    void whatHuggingFaceRejectsIsRejected() throws IOException {
        int checked = 0;
        for (JsonNode row : rows("invalid_params.jsonl")) {
            String processor = row.get("processor").asText();
            if (List.of("TemperatureLogitsWarper", "TopKLogitsWarper", "TopPLogitsWarper").contains(processor)) {
                assertThat(row.get("error").asText()).isEqualTo("ValueError");
                assertThatIllegalArgumentException().as(row.toString())
                        .isThrownBy(() -> sampler(processor, row.get("params")));
                checked++;
            }
        }
        assertThat(checked).isEqualTo(7);
    }

    private static Optional<Sampler> sampler(String processor, JsonNode params) {
        int keep = params.path("min_tokens_to_keep").asInt(1);
        return Optional.ofNullable(switch (processor) {
            case "TemperatureLogitsWarper" -> new Temperature(params.get("temperature").asDouble());
            case "TopKLogitsWarper" -> new TopK(params.get("top_k").asInt(), keep);
            case "TopPLogitsWarper" -> new TopP(params.get("top_p").asDouble(), keep);
            default -> null;
        });
    }

    /** What the reference writes in the place of a removed logit. */
    private static float filterValue(JsonNode params) {
        return params.has("filter_value") ? number(params.get("filter_value")) : Float.NEGATIVE_INFINITY;
    }

    private static void check(JsonNode row, Sampler sampler, float filterValue) {
        float[] scores = numbers(row.get("scores"));
        Candidates candidates = new Candidates(scores.length);
        // Twice, since a second step must not see anything of the first.
        for (int step = 0; step < 2; step++) {
            candidates.load(scores);
            sampler.apply(candidates);
            float[] actual = new float[scores.length];
            for (int id = 0; id < actual.length; id++) {
                int index = candidates.indexOf(id);
                actual[id] = index < 0 ? filterValue : candidates.logits()[index];
            }
            assertThat(actual).as(row.get("id").asText() + " " + row.path("params"))
                    .isEqualTo(numbers(row.get("expected")));
        }
    }

    private static float[] numbers(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = number(array.get(i));
        }
        return values;
    }

    private static float number(JsonNode node) {
        return switch (node.asText()) {
            case "inf" -> Float.POSITIVE_INFINITY;
            case "-inf" -> Float.NEGATIVE_INFINITY;
            case "nan" -> Float.NaN;
            default -> Float.parseFloat(node.asText());
        };
    }

    private static List<JsonNode> rows(String file) throws IOException {
        Path shared = Path.of(System.getProperty("vecformer.shared", "absent"));
        assumeTrue(Files.isDirectory(shared), "skipped: the reference files (../shared) are not here");
        ObjectMapper mapper = new ObjectMapper();
        List<JsonNode> rows = new ArrayList<>();
        try (Stream<String> lines = Files.lines(shared.resolve("oracle/logits_process").resolve(file))) {
            for (String line : (Iterable<String>) lines::iterator) {
                rows.add(mapper.readTree(line));
            }
        }
        return rows;
    }
}
