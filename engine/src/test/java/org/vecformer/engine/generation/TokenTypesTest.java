package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.DecodingStrategy.BeamSearch;
import org.vecformer.engine.generation.DecodingStrategy.ContrastiveSearch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Token types of the prompt and of what is written. */
class TokenTypesTest extends ByteModelFixture {

    private static final TokenTypes TYPES = new TokenTypes(new int[]{1, 1, 1, 2, 2, 2}, 7);
    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(20);

    /**
     * The reference is GPT2LMHeadModel of Hugging Face transformers 5.18 (PyTorch 2, float32) on
     * ../shared/oracle/models/gpt2-mini: greedy search by hand, each step of the whole text
     * with {@code token_type_ids}. Each row has random ids, two random types that take turns, and one of the two for what is written;
     * the two largest logits of a step are at least 0.002 apart.
     */
    @Tag("width")
    @Tag("device")
    @Test
    void writesWhatTheReferenceWrites() throws IOException {
        Path folder = Oracle.shared("oracle/models/gpt2-mini");
        try (Gpt mini = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator typed = TextGenerator.open(mini, null);
                InputStream rows = TokenTypesTest.class.getResourceAsStream("greedy-token-types.jsonl")) {
            List<JsonNode> cases = new ObjectMapper().readerFor(JsonNode.class).<JsonNode>readValues(rows).readAll();
            assertThat(cases).hasSize(6);
            for (JsonNode row : cases) {
                int[] expected = Oracle.ints(row.get("greedy_ids"));
                GenerationOptions options = GREEDY.withMaxNewTokens(expected.length).withLogprobs(0);
                GenerationResult result = typed.generate(Oracle.ints(row.get("input_ids")), options.withTokenTypes(
                        new TokenTypes(Oracle.ints(row.get("token_type_ids")), row.get("generated_type").asInt())),
                        TokenListener.NONE);
                assertThat(result.ids()).isEqualTo(expected);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(result.sequences().getFirst().logprobs().get(i).logprob())
                            .isCloseTo(row.get("logprobs").get(i).asDouble(), within(2e-4));
                }
                assertThat(typed.generate(result.promptIds(), options, TokenListener.NONE).ids())
                        .isNotEqualTo(expected);
            }
        }
    }

    @Test
    void everyStrategyWritesWhatAPlainOneWrites(@TempDir Path folder) throws IOException {
        TestModels.write(folder, TestModels.Shape.ODD, 4, DType.F32);
        Random random = new Random(4);
        try (Gpt odd = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator typed = TextGenerator.open(odd, null)) {
            for (int i = 0; i < 20; i++) {
                int[] prompt = random.ints(1 + random.nextInt(40), 0, odd.outputs()).toArray();
                TokenTypes types = new TokenTypes(random.ints(prompt.length, 0, odd.outputs()).toArray(),
                        random.nextInt(odd.outputs()));
                GenerationOptions options = GREEDY.withTokenTypes(types).withUseCache(random.nextInt(4) > 0);
                try (ModelFromScratch scratch = new ModelFromScratch(odd, types)) {
                    assertThat(typed.generate(prompt, options, TokenListener.NONE).ids())
                            .isEqualTo(greedy(scratch, prompt, 20));

                    GenerationOptions beams = options.withStrategy(new BeamSearch(3)).withReturnSequences(3);
                    assertThat(typed.generate(prompt, beams, TokenListener.NONE).sequences())
                            .extracting(sequence -> IntStream.of(sequence.ids()).boxed().toList())
                            .isEqualTo(new PlainBeamSearch(scratch, prompt, beams).run().stream()
                                    .map(text -> IntStream.of(text.ids()).boxed().toList()).toList());

                    ContrastiveSearch contrastive = new ContrastiveSearch(4, 0.6);
                    assertThat(typed.generate(prompt, options.withStrategy(contrastive), TokenListener.NONE).ids())
                            .isEqualTo(ContrastiveSearchTest.plain(scratch, prompt, contrastive, Sampling.none(),
                                    Math.min(prompt.length + 20, odd.config().contextLength())));
                }
            }
        }
    }

    private static int[] greedy(ModelFromScratch model, int[] prompt, int tokens) {
        int[] text = prompt;
        for (int i = 0; i < tokens; i++) {
            float[] logits = model.logits(text);
            text = ModelFromScratch.concat(text, IntStream.range(0, logits.length).reduce(
                    (one, other) -> logits[other] > logits[one] ? other : one).orElseThrow());
        }
        return Arrays.copyOfRange(text, prompt.length, text.length);
    }

    /** All sequences of a prompt, and each with the log-probabilities that belong to its text with its types. */
    @Test
    void severalSequencesHaveThem() {
        GenerationResult result = generator.generate(PROMPT, GREEDY.withSeed(3).withSampling(s -> s.temperature(3))
                .withReturnSequences(3).withLogprobs(0).withTokenTypes(TYPES), TokenListener.NONE);
        try (ModelFromScratch scratch = new ModelFromScratch(model, TYPES)) {
            for (GeneratedSequence sequence : result.sequences()) {
                for (int i = 0; i < sequence.ids().length; i++) {
                    double[] expected = scratch.logProbabilities(
                            ModelFromScratch.concat(PROMPT, Arrays.copyOf(sequence.ids(), i)));
                    assertThat(sequence.logprobs().get(i).logprob())
                            .isCloseTo(expected[sequence.ids()[i]], within(1e-4));
                }
            }
        }
        assertThat(result.sequences()).extracting(GeneratedSequence::ids).doesNotHaveDuplicates();
    }

    @Test
    void whatDoesNotGoTogetherIsRefused() {
        refused("5 token types for a prompt of 6 tokens", GREEDY.withTokenTypes(new TokenTypes(new int[5], 0)));
        refused("7 token types for a prompt of 6 tokens", GREEDY.withTokenTypes(new TokenTypes(new int[7], 0)));
        for (int bad : new int[]{-1, model.outputs(), Integer.MIN_VALUE}) {
            refused("token type " + bad, GREEDY.withTokenTypes(new TokenTypes(new int[6], bad)));
            refused("token type " + bad, GREEDY.withTokenTypes(new TokenTypes(new int[]{0, 0, bad, 0, 0, 0}, 0)));
        }
        GenerationOptions typed = GREEDY.withTokenTypes(TYPES);
        refused("not truncated", typed.withTruncatePrompt(true));
        refused("without drafts and guidance", typed.withGuidance(new Guidance(1.5)));
        refused("without drafts and guidance", typed.withDrafting(new Drafting.PromptLookup(3)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> generator.generateAll(List.of(PROMPT, PROMPT), typed, TokenListener.NONE))
                .withMessageContaining("one prompt, and there are 2");
    }

    private void refused(String why, GenerationOptions options) {
        assertThatIllegalArgumentException().isThrownBy(() -> generator.generate(PROMPT, options, _ -> {
            throw new AssertionError("a token was written before that");
        })).withMessageContaining(why);
    }
}
