package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.sampler.SamplingContext;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * What Hugging Face's {@code generate} writes with the same arguments. Each row of the reference files is used, and an
 * argument that is not known here fails the test.
 */
@Tag("device")
class GenerationOracleTest {

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

    @Tag("width")
    @ParameterizedTest
    @CsvSource({"gpt2-tiny, 76", "gpt2-mini, 108", "gpt2-mini-repeat, 63", "gpt2-mini-f16, 2", "gpt2-mini-bf16, 2",
        "gpt2-mini-f64, 2", "openai-gpt-tiny, 7"})
    void continuesAsTheReferenceDoes(String name, int expectedRows) throws IOException {
        Path folder = Oracle.shared("oracle/models/" + name);
        Tokenizer tokenizer = Tokenizer.load(folder);
        int rows = 0;
        try (Gpt model = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator generator = TextGenerator.open(model, tokenizer)) {
            for (JsonNode row : Oracle.rows(folder.resolve("generation.jsonl"))) {
                assertThat(row.path("robust").asBoolean(true)).as("%s", row.get("id")).isTrue();
                checkRow(generator, tokenizer, model, row);
                rows++;
            }
        }
        assertThat(rows).isEqualTo(expectedRows);
    }

    private static void checkRow(TextGenerator generator, Tokenizer tokenizer, Gpt model, JsonNode row) {
        GenerationOptions options = options(row.get("args"), model);
        JsonNode outputs = row.get("output_ids");
        List<int[]> prompts = new ArrayList<>();
        if (row.has("attention_mask")) {
            for (int i = 0; i < row.get("prompt_ids").size(); i++) {
                int[] ids = Oracle.ints(row.get("prompt_ids").get(i));
                int padding = (int) Arrays.stream(Oracle.ints(row.get("attention_mask").get(i)))
                        .filter(seen -> seen == 0).count();
                prompts.add(Arrays.copyOfRange(ids, padding, ids.length));
            }
        } else {
            prompts.add(Oracle.ints(row.get("prompt_ids")));
        }
        List<GeneratedSequence> sequences = new ArrayList<>();
        for (GenerationResult result : generator.generateAll(prompts, options, TokenListener.NONE)) {
            assertThat(result.sequences()).hasSize(options.returnSequences());
            sequences.addAll(result.sequences());
        }
        for (int s = 0; s < sequences.size(); s++) {
            int[] output = Oracle.ints(outputs.get(0).isArray() ? outputs.get(s) : outputs);
            int paddedPrompt = row.has("attention_mask")
                    ? row.get("prompt_ids").get(0).size()
                    : prompts.get(0).length;
            checkSequence(sequences.get(s), Arrays.copyOfRange(output, paddedPrompt, output.length), tokenizer, model,
                    options, row);
            if (row.has("sequences_scores")) {
                double score = row.get("sequences_scores").get(s).asDouble();
                // Length penalties below 0 make scores of hundreds, which float32 has to 6e-5.
                assertThat(sequences.get(s).score().orElseThrow()).as("score %d of %s", s, row)
                        .isCloseTo(score, within(Math.max(1e-4, 1e-6 * -score)));
            }
        }
    }

    private static void checkSequence(GeneratedSequence sequence, int[] expected, Tokenizer tokenizer, Gpt model,
            GenerationOptions options, JsonNode row) {
        int[] got = sequence.ids();
        assertThat(Arrays.copyOf(expected, got.length)).as("%s", row).isEqualTo(got);
        // A text that ended is filled up to the length of the longest in its batch.
        int[] filling = new int[expected.length - got.length];
        Arrays.fill(filling, padding(model));
        assertThat(Arrays.copyOfRange(expected, got.length, expected.length)).as("rest of %s", row).isEqualTo(filling);

        Stopping stopping = options.stopping();
        boolean end = stopping.endTokens().contains(got[got.length - 1]);
        String text = tokenizer.decode(end ? Arrays.copyOf(got, got.length - 1) : got, true);
        FinishReason reason = end
                ? FinishReason.EOS
                : stopping.stopTexts().stream().anyMatch(text::contains) ? FinishReason.STOP : FinishReason.LENGTH;
        assertThat(sequence.finishReason()).as("%s", row).isEqualTo(reason);
        if (reason == FinishReason.STOP) {
            assertThat(text).startsWith(sequence.text());
            assertThat(stopping.stopTexts()).noneMatch(sequence.text()::contains);
        } else {
            assertThat(sequence.text()).isEqualTo(text);
        }
    }

    private static int padding(Gpt model) {
        return model.config().vocabularySize() - 1;
    }

    /** What the keyword arguments of {@code generate} come to. */
    private static GenerationOptions options(JsonNode args, Gpt model) {
        Map<String, JsonNode> rest = new LinkedHashMap<>();
        args.properties().forEach(field -> rest.put(field.getKey(), field.getValue()));
        boolean draws = rest.containsKey("do_sample") && rest.remove("do_sample").asBoolean();
        GenerationOptions options = GenerationOptions.defaults().withEndTokens(padding(model))
                .withStrategy(strategy(rest, draws));
        if (draws) {
            options = options.withSampling(s -> s.topK(50));
        }
        if (rest.containsKey("guidance_scale")) {
            JsonNode negative = rest.remove("negative_prompt_ids");
            options = options.withGuidance(new Guidance(rest.remove("guidance_scale").asDouble(),
                    negative == null ? new int[0] : Oracle.ints(negative)));
        }
        for (Map.Entry<String, JsonNode> argument : rest.entrySet()) {
            options = with(options, argument.getKey(), argument.getValue());
        }
        return options;
    }

    private static DecodingStrategy strategy(Map<String, JsonNode> args, boolean draws) {
        if (!args.containsKey("num_beams")) {
            return draws ? DecodingStrategy.random(1) : DecodingStrategy.greedy();
        }
        DecodingStrategy.BeamSearch beams = new DecodingStrategy.BeamSearch(args.remove("num_beams").asInt());
        if (args.containsKey("length_penalty")) {
            beams = beams.withLengthPenalty(args.remove("length_penalty").asDouble());
        }
        if (args.containsKey("early_stopping")) {
            beams = beams.withEarlyStopping(switch (args.remove("early_stopping").asText()) {
                case "true" -> EarlyStopping.WHEN_ENOUGH;
                case "false" -> EarlyStopping.WHEN_UNLIKELY;
                case "never" -> EarlyStopping.WHEN_IMPOSSIBLE;
                case String other -> throw new AssertionError(other);
            });
        }
        return draws ? beams.withDrawing().withSeed(1) : beams;
    }

    private static GenerationOptions with(GenerationOptions options, String name, JsonNode value) {
        return switch (name) {
            case "max_length" -> options.withMaxLength(value.asInt());
            case "max_new_tokens" -> options.withMaxNewTokens(value.asInt());
            case "eos_token_id" -> options.withEndTokens(IntStream.of(ids(value)).boxed().toArray(Integer[]::new));
            case "num_return_sequences" -> options.withReturnSequences(value.asInt());
            case "prompt_lookup_num_tokens" -> options.withDrafting(new Drafting.PromptLookup(value.asInt()));
            case "stop_strings" -> options.withStopTexts(
                    IntStream.range(0, value.size()).mapToObj(i -> value.get(i).asText()).toArray(String[]::new));
            default -> options.withSampling(sampling -> with(sampling, name, value));
        };
    }

    private static Sampling with(Sampling sampling, String name, JsonNode value) {
        return switch (name) {
            case "temperature" -> sampling.temperature(value.asDouble());
            case "top_k" -> sampling.topK(value.asInt());
            case "top_p" -> sampling.topP(value.asDouble());
            case "top_h" -> sampling.topH(value.asDouble());
            case "min_p" -> sampling.minP(value.asDouble());
            case "typical_p" -> sampling.typicalP(value.asDouble());
            case "epsilon_cutoff" -> sampling.epsilonCutoff(value.asDouble());
            case "eta_cutoff" -> sampling.etaCutoff(value.asDouble());
            case "repetition_penalty" -> sampling.repetitionPenalty(value.asDouble());
            case "encoder_repetition_penalty" -> sampling.encoderRepetitionPenalty(value.asDouble());
            case "no_repeat_ngram_size" -> sampling.noRepeatNgramSize(value.asInt());
            case "encoder_no_repeat_ngram_size" -> sampling.encoderNoRepeatNgramSize(value.asInt());
            case "bad_words_ids" -> sampling.badWords(
                    IntStream.range(0, value.size()).mapToObj(i -> Oracle.ints(value.get(i))).toList());
            case "sequence_bias" -> {
                Map<List<Integer>, Float> biases = new LinkedHashMap<>();
                value.forEach(pair -> biases.put(IntStream.of(Oracle.ints(pair.get(0))).boxed().toList(),
                        (float) pair.get(1).asDouble()));
                yield sampling.sequenceBias(biases);
            }
            case "suppress_tokens" -> sampling.suppressTokens(Oracle.ints(value));
            case "begin_suppress_tokens" -> sampling.beginSuppressTokens(Oracle.ints(value));
            case "min_length" -> sampling.minLength(value.asInt());
            case "min_new_tokens" -> sampling.minNewTokens(value.asInt());
            case "forced_eos_token_id" -> sampling.forcedLastToken(ids(value));
            case "exponential_decay_length_penalty" ->
                sampling.exponentialDecayLengthPenalty(value.get(0).asInt(), value.get(1).asDouble());
            case "remove_invalid_values" -> value.asBoolean() ? sampling.removeInvalidValues() : sampling;
            case "renormalize_logits" -> value.asBoolean() ? sampling.renormalize() : sampling;
            default -> throw new AssertionError("an argument that this test does not know: " + name);
        };
    }

    private static int[] ids(JsonNode oneOrSeveral) {
        return oneOrSeveral.isArray() ? Oracle.ints(oneOrSeveral) : new int[]{oneOrSeveral.asInt()};
    }

    @ParameterizedTest
    @CsvSource({"gpt2-tiny, 17, 1500", "gpt2-mini, 21, 20000"})
    void drawsWithTheProbabilitiesOfTheReference(String name, int expectedRows, int draws) throws IOException {
        Path folder = Oracle.shared("oracle/models/" + name);
        int rows = 0;
        try (Gpt model = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                Session session = model.openSession(SessionOptions.defaults())) {
            float[] logits = new float[model.outputs()];
            Candidates candidates = new Candidates(logits.length);
            for (JsonNode row : Oracle.rows(folder.resolve("sampling_distribution.jsonl"))) {
                int[] prompt = Oracle.ints(row.get("prompt_ids"));
                try (Sequence sequence = session.newSequence()) {
                    session.feed(sequence, prompt, 0, prompt.length);
                    session.logits(0, logits);
                }
                Sampler sampler = drawing(options(row.get("args"), model), model, 20261121 + rows);
                sampler.acceptPrompt(prompt);
                Map<Integer, Integer> counts = new HashMap<>();
                for (int i = 0; i < draws; i++) {
                    candidates.load(logits);
                    sampler.apply(candidates);
                    counts.merge(candidates.selectedToken(), 1, Integer::sum);
                }
                checkDistribution(row, counts, draws);
                rows++;
            }
        }
        assertThat(rows).isEqualTo(expectedRows);
    }

    private static Sampler drawing(GenerationOptions options, Gpt model, long seed) {
        return SamplerChain.of(options.sampling().processors(new SamplingContext(model.config().contextLength(),
                options.stopping().sortedEndTokens(), 1, seed), true), options.sampling().draw(seed));
    }

    /** Pearson's chi-square test, at a bound that a right sampler fails once in 300,000 times. */
    private static void checkDistribution(JsonNode row, Map<Integer, Integer> counts, int draws) {
        double chiSquare = 0;
        Set<Integer> possible = new HashSet<>();
        for (JsonNode pair : row.get("next_token_probs")) {
            double expected = pair.get(1).asDouble() * draws;
            double difference = counts.getOrDefault(pair.get(0).asInt(), 0) - expected;
            chiSquare += difference * difference / expected;
            possible.add(pair.get(0).asInt());
        }
        assertThat(possible).as("%s: tokens that can be drawn", row.get("id")).containsAll(counts.keySet());
        int degrees = possible.size() - 1;
        if (degrees > 0) {
            // Wilson and Hilferty 1931: the cube root of chi-square / degrees is nearly normal.
            double bound = degrees * Math.pow(1 - 2.0 / (9 * degrees) + 4.5 * Math.sqrt(2.0 / (9 * degrees)), 3);
            assertThat(chiSquare).as("%s: chi-square with %d degrees of freedom", row.get("id"), degrees)
                    .isLessThan(bound);
        }
    }
}
