package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.RemoteLogits;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Where logits are remote, few of them are read, and what is written is what all of them give. */
@Tag("device")
class FewLogitsTest {

    private static final int VOCABULARY = TestModels.Shape.EVEN.vocabulary();
    private static final int[] PROMPT = {72, 101, 108, 108, 111, 33};
    private static final List<int[]> PROMPTS = List.of(PROMPT, new int[]{5}, new int[]{9, 8, 7, 9, 8, 7, 9, 8});
    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(30);
    private static final GenerationOptions DRAWING = GREEDY.withStrategy(DecodingStrategy.random(3));

    @TempDir
    private static Path directory;

    /** A model whose logits are remote or not. */
    private static final class Lab implements AutoCloseable {
        final RemoteLogits logits;
        final Gpt model;
        TextGenerator generator;

        Lab(boolean remote, float grain) throws IOException {
            logits = RemoteLogits.open(remote, VOCABULARY, grain);
            model = Gpt.load(logits.engine(), ModelFiles.of(directory), LoadOptions.defaults());
            generator = TextGenerator.open(model, null);
        }

        /** All that is told, and the results. */
        Told generate(GenerationOptions options) {
            logits.reset();
            Told told = new Told(new ArrayList<>(), new ArrayList<>());
            for (GenerationResult result : generator.generateAll(PROMPTS, options, told::add)) {
                for (GeneratedSequence sequence : result.sequences()) {
                    told.others.add(List.of(IntStream.of(sequence.ids()).boxed().toList(), sequence.finishReason(),
                            sequence.score()));
                    sequence.logprobs().forEach(told::add);
                }
            }
            return told;
        }

        @Override
        public void close() {
            generator.close();
            model.close();
            logits.close();
        }
    }

    /** Log-probabilities, and all else. */
    private record Told(List<Object> others, List<Double> logprobs) {
        void add(GeneratedToken token) {
            others.add(List.of(token.sequence(), token.id()));
            if (token.score() != null) {
                add(token.score());
            }
        }

        private void add(TokenScore score) {
            others.add(List.of(score.id(), score.top().stream().map(TokenLogprob::id).toList()));
            logprobs.add(score.logprob());
            score.top().forEach(top -> logprobs.add(top.logprob()));
        }

        /** The same, but that a device adds exponentials in another order. */
        void assertIs(Told expected) {
            assertThat(others).isEqualTo(expected.others).hasSizeGreaterThan(30);
            assertThat(logprobs).usingElementComparator(
                    (a, b) -> Math.abs(a - b) <= (TestBackends.onDevice() ? 1e-4 : 0) ? 0 : 1)
                    .isEqualTo(expected.logprobs);
        }
    }

    private static Lab remote;
    private static Lab near;

    @BeforeAll
    static void open() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 21, DType.F32);
        remote = new Lab(true, 0);
        near = new Lab(false, 0);
    }

    @AfterAll
    static void close() {
        remote.close();
        near.close();
    }

    static List<GenerationOptions> allSorts() {
        Drafting.DraftModel self = new Drafting.DraftModel(remote.model, 3);
        return List.of(GREEDY, GREEDY.withEndTokens(17, 80), GREEDY.withLogprobs(0), GREEDY.withLogprobs(7),
                GREEDY.withLogprobs(200), GREEDY.withUseCache(false), GREEDY.withGuidance(new Guidance(1.5)),
                GREEDY.withSampling(s -> s.repetitionPenalty(1.3)),
                GREEDY.withSampling(s -> s.minNewTokens(4).forcedLastToken(3)).withEndTokens(3, 17, 80),
                GREEDY.withDrafting(new Drafting.PromptLookup(3)), GREEDY.withDrafting(self),
                GREEDY.withDrafting(self).withLogprobs(2),
                DRAWING, DRAWING.withSampling(s -> s.topK(1)), DRAWING.withSampling(s -> s.topK(20)),
                DRAWING.withSampling(s -> s.temperature(1.7).topK(20)),
                DRAWING.withSampling(s -> s.temperature(0.4).topK(120).topP(0.9)),
                DRAWING.withSampling(s -> s.topK(250)), DRAWING.withSampling(s -> s.topK(257)),
                DRAWING.withSampling(s -> s.topK(20).mirostat(3, 0.1)),
                DRAWING.withSampling(s -> s.topK(20).xtc(0.5, 0.1).typicalP(0.8)),
                DRAWING.withSampling(s -> s.topK(20)).withReturnSequences(4),
                DRAWING.withSampling(s -> s.topK(20)).withReturnSequences(2).withLogprobs(3),
                DRAWING.withSampling(s -> s.topK(20)).withGuidance(new Guidance(2)),
                DRAWING.withSampling(s -> s.topK(20).repetitionPenalty(1.2)),
                DRAWING.withSampling(s -> s.topK(20).logitBias(Map.of(4, 2f))),
                DRAWING.withSampling(s -> s.topK(5).forcedLastToken(3)
                        .order(List.of(SamplerKind.TOP_K, SamplerKind.FORCED_LAST_TOKEN))).withLogprobs(2),
                DRAWING.withSampling(s -> s.topK(20)).withDrafting(new Drafting.PromptLookup(3)),
                DRAWING.withSampling(s -> s.temperature(1.2).topK(20)).withDrafting(self),
                GREEDY.withStrategy(new DecodingStrategy.BeamSearch(3)),
                GREEDY.withStrategy(new DecodingStrategy.BeamSearch(4).withGroups(2, 0.5)),
                DRAWING.withStrategy(new DecodingStrategy.BeamSearch(3).withDrawing().withSeed(4))
                        .withSampling(s -> s.topK(20)),
                GREEDY.withStrategy(new DecodingStrategy.ContrastiveSearch(4, 0.6)));
    }

    @ParameterizedTest
    @MethodSource("allSorts")
    void theTextIsThatOfAllLogits(GenerationOptions options) {
        remote.generate(options).assertIs(near.generate(near(options)));
    }

    /** The same with the draft model of the other engine. */
    private static GenerationOptions near(GenerationOptions options) {
        return options.drafting().filter(Drafting.DraftModel.class::isInstance)
                .map(_ -> options.withDrafting(new Drafting.DraftModel(near.model, 3))).orElse(options);
    }

    /** So few different logits that there are ties at every edge, and rarely a few of the largest are enough. */
    @ParameterizedTest
    @CsvSource({"0.01, 0, 10", "0.5, 1, 60", "3, 60, 120"})
    void equalLogitsAreNotOverlooked(float grain, int least, int most) throws IOException {
        try (Lab remote = new Lab(true, grain); Lab near = new Lab(false, grain)) {
            for (GenerationOptions options : List.of(GREEDY, GREEDY.withLogprobs(3), DRAWING,
                    DRAWING.withSampling(s -> s.topK(1)), DRAWING.withSampling(s -> s.topK(9).temperature(1.3)),
                    DRAWING.withSampling(s -> s.topK(40).topP(0.9)).withReturnSequences(3))) {
                remote.generate(options).assertIs(near.generate(options));
            }
            int topKs = 0;
            int rows = 0;
            for (int seed = 0; seed < 4; seed++) {
                remote.generate(DRAWING.withSeed(seed).withSampling(s -> s.topK(9).temperature(1.3)));
                topKs += remote.logits.topKs();
                rows += remote.logits.rows();
            }
            assertThat(topKs).isEqualTo(4 * 30 * PROMPTS.size());
            assertThat(rows).as("whole rows, where the 17 largest logits were not enough")
                    .isBetween(least * PROMPTS.size(), most * PROMPTS.size());
        }
    }

    @Test
    void greedySearchReadsNoLogits() {
        for (Lab lab : List.of(remote, near)) {
            lab.generate(GREEDY);
            assertReads(lab, 0, 30, 0, 0);
        }
        remote.generate(GREEDY.withLogprobs(4));
        assertReads(remote, 0, 0, 90, 90);
        near.generate(GREEDY.withLogprobs(4));
        assertReads(near, 90, 0, 0, 0);
        remote.generate(GREEDY.withSampling(s -> s.minNewTokens(3)).withEndTokens(256));
        assertReads(remote, 9, 27, 0, 0);
        remote.generate(GREEDY.withSampling(s -> s.repetitionPenalty(1.1)));
        assertReads(remote, 90, 0, 0, 0);
        remote.generate(GREEDY.withDrafting(new Drafting.DraftModel(remote.model, 4)));
        assertThat(remote.logits.rows()).isZero();
        assertThat(remote.logits.argMaxes()).as("of the draft and of all its guesses at once").isBetween(90, 130);
        assertThat(remote.logits.states()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 0.7", "50, 1", "50, 1.5", "120, 1"})
    void drawingReadsTheLargest(int k, double temperature) {
        GenerationOptions options = DRAWING.withSampling(s -> s.temperature(temperature).topK(k).topP(0.95));
        remote.generate(options);
        assertReads(remote, 0, 0, 90, 0);
        // Three continuations of a prompt have their first tokens from the same logits.
        remote.generate(options.withReturnSequences(3).withMaxNewTokens(11));
        assertReads(remote, 0, 0, 3 + 90, 0);
        near.generate(options);
        assertReads(near, 90, 0, 0, 0);
        remote.generate(options.withLogprobs(1));
        assertReads(remote, 90, 0, 0, 0);
    }

    @Test
    void allAreReadWhereTheyAreFewerThanThat() {
        remote.generate(DRAWING.withSampling(s -> s.topK(VOCABULARY / 2 - 8)));
        assertReads(remote, 0, 0, 90, 0);
        remote.generate(DRAWING.withSampling(s -> s.topK(VOCABULARY / 2 - 7)));
        assertReads(remote, 90, 0, 0, 0);
    }

    private static void assertReads(Lab lab, int rows, int argMaxes, int topKs, int sums) {
        RemoteLogits read = lab.logits;
        assertThat(List.of(read.rows(), read.argMaxes(), read.topKs(), read.sums(), read.states()))
                .as("rows, arg-max, top-k, sums, hidden states").containsExactly(rows, argMaxes, topKs, sums, 0);
    }

    /** More contexts than the batch has rows: they are read in several steps. */
    @Test
    void aSmallBatchTakesMoreSteps() {
        try (TextGenerator small = TextGenerator.open(remote.model, null, SessionOptions.defaults()
                .withMaxBatchTokens(2))) {
            for (GenerationOptions options : List.of(GREEDY, DRAWING.withSampling(s -> s.topK(20)))) {
                remote.logits.reset();
                List<GenerationResult> results = small.generateAll(PROMPTS, options, TokenListener.NONE);
                assertThat(remote.logits.rows()).isZero();
                List<GenerationResult> expected = near.generator.generateAll(PROMPTS, options, TokenListener.NONE);
                for (int p = 0; p < PROMPTS.size(); p++) {
                    assertThat(results.get(p).ids()).isEqualTo(expected.get(p).ids());
                }
            }
        }
    }
}
