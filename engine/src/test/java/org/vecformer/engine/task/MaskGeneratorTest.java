package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.MaskStrategy;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.ResampleOrder;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.Trace;
import org.vecformer.engine.sampler.SamplerKind;

/** What a masked language model writes, against loops that fill masks one by one, and by the generator's contract. */
@Timeout(60)
class MaskGeneratorTest {

    private static final MaskGenerationOptions GREEDY = MaskGenerationOptions.sequential().withStopTokens();
    private static final MaskGenerationOptions DRAWING = GREEDY.withGreedy(false).withTemperature(2).withSeed(9);
    private static final MaskGenerationOptions GIBBS = MaskGenerationOptions.gibbs().withIterations(40).withBurnIn(20)
            .withMaxNewTokens(6).withSeed(3);
    private static final TaskInput PAIR = TaskInput.of("the man is good.", "the city");

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private MaskGenerator generator;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertForMaskedLM", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        generator = MaskGenerator.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeGenerator() {
        generator.close();
    }

    private GenerationResult generate(TaskInput input, MaskGenerationOptions options) {
        return generator.generate(input, options, TokenListener.NONE);
    }

    /** The best token at a position that is no special one, by another task. */
    private static int best(EncoderInput input, int position) {
        try (FillMask task = FillMask.open(bert.model(), bert.tokenizer())) {
            return task.fill(TaskInput.of(input), FillMaskOptions.defaults().withTopK(6).withPositions(position))
                    .getFirst().candidates().stream().mapToInt(MaskFill.Candidate::id)
                    .filter(id -> !bert.tokenizer().isSpecial(id)).findFirst().orElseThrow();
        }
    }

    @Tag("width")
    @Test
    void sequentialFillsTheFirstOfSeveralMasks() {
        List<Integer> ids = new ArrayList<>(IntStream.of(2, 10, 11, 13, 14, 5, 3, 10, 12, 3).boxed().toList());
        List<Integer> written = new ArrayList<>();
        for (int step = 0; step < 7; step++) {
            List<Integer> masked = new ArrayList<>(ids);
            for (int i = 0; i < 3; i++) {
                masked.add(masked.size() - 1, TinyBert.MASK);
            }
            int[] types = IntStream.range(0, masked.size()).map(i -> i < 7 ? 0 : 1).toArray();
            int id = best(new EncoderInput(masked.stream().mapToInt(i -> i).toArray(), types, null), ids.size() - 1);
            ids.add(ids.size() - 1, id);
            written.add(id);
        }
        List<String> pieces = new ArrayList<>();
        List<Integer> told = new ArrayList<>();
        GenerationResult result = generator.generate(PAIR, GREEDY.withMaxNewTokens(7), token -> {
            told.add(token.id());
            pieces.add(token.text());
        });
        assertThat(result.promptIds()).containsExactly(2, 10, 11, 13, 14, 5, 3, 10, 12, 3);
        assertThat(result.ids()).containsExactly(written.stream().mapToInt(i -> i).toArray());
        assertThat(told).isEqualTo(written);
        assertThat(result.text()).isEqualTo(bert.tokenizer().decode(result.ids(), true));
        assertThat(String.join("", pieces)).isEqualTo(result.text());
        assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(result.timing().generatedTokens()).isEqualTo(7);
    }

    @Test
    void appendLooksAtOneMask() {
        assertThat(generate(PAIR, GREEDY.withStrategy(MaskStrategy.APPEND)).ids())
                .isEqualTo(generate(PAIR, GREEDY.withMasks(1)).ids())
                .isNotEqualTo(generate(PAIR, GREEDY).ids());
    }

    @Test
    void aStopTokenEndsTheText() {
        GenerationResult whole = generate(PAIR, GREEDY.withMaxNewTokens(5));
        String third = bert.tokenizer().token(whole.ids()[2]);
        GenerationResult stopped = generate(PAIR, GREEDY.withMaxNewTokens(5).withStopTokens("!", third));
        int first = IntStream.range(0, 5).filter(i -> whole.ids()[i] == whole.ids()[2]).findFirst().orElseThrow();
        assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(stopped.ids()).as("the stop token is the last one")
                .isEqualTo(Arrays.copyOf(whole.ids(), first + 1));
        assertThatIllegalArgumentException().isThrownBy(() -> generate(PAIR, GREEDY.withStopTokens("zebra")))
                .withMessageContaining("zebra");
    }

    @Test
    void theContextEndsTheText() {
        EncoderInput start = EncoderInput.of(bert.tokenizer().ids("the man ".repeat(30)));
        assertThat(start.length()).isEqualTo(62);
        GenerationResult result = generate(TaskInput.of(start), GREEDY.withMaxNewTokens(100));
        assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(result.ids()).as("three masks fit before each token").hasSize(TinyBert.CONTEXT - 62 - 3 + 1);
        TaskInput full = TaskInput.of("the man ".repeat(33));
        assertThatExceptionOfType(PromptTooLongException.class).isThrownBy(() -> generate(full, GREEDY))
                .withMessageContaining("68").withMessageContaining("70");
        assertThat(generate(full, GREEDY.withMasks(2)).ids()).hasSize(1);
        assertThat(generate(full, GREEDY.withMaxNewTokens(0)).ids()).isEmpty();
        assertThatExceptionOfType(PromptTooLongException.class).isThrownBy(() -> generate(full, GIBBS))
                .withMessageContaining("70");
    }

    @ParameterizedTest
    @EnumSource(MaskStrategy.class)
    void theSameSeedGivesTheSameText(MaskStrategy strategy) {
        MaskGenerationOptions options = (strategy == MaskStrategy.GIBBS ? GIBBS : DRAWING).withStrategy(strategy);
        Set<List<Integer>> texts = new HashSet<>();
        for (long seed = 0; seed < 6; seed++) {
            GenerationResult first = generate(PAIR, options.withSeed(seed));
            try (MaskGenerator other = MaskGenerator.open(bert.model(), bert.tokenizer())) {
                GenerationResult second = other.generate(PAIR, options.withSeed(seed), TokenListener.NONE);
                assertThat(second.ids()).isEqualTo(first.ids());
                assertThat(second.text()).isEqualTo(first.text());
            }
            texts.add(IntStream.of(first.ids()).boxed().toList());
        }
        assertThat(texts).hasSizeGreaterThan(4);
    }

    @Test
    void samplersAreThoseOfTheSharedPackage() {
        int[] greedy = generate(PAIR, GREEDY).ids();
        assertThat(generate(PAIR, DRAWING.withSampling(s -> s.topK(1))).ids()).isEqualTo(greedy);
        assertThat(generate(PAIR, DRAWING.withSampling(s -> s.topP(1e-6))).ids()).isEqualTo(greedy);
        assertThat(generate(PAIR, DRAWING.withTemperature(1e-4)).ids()).isEqualTo(greedy);
        assertThat(generate(PAIR, DRAWING).ids()).isNotEqualTo(greedy);
    }

    @Test
    void specialTokensAreWrittenOnlyIfAllowed() {
        MaskGenerationOptions hot = DRAWING.withTemperature(1e6).withMaxNewTokens(40).withMasks(1);
        boolean allowed = false;
        for (long seed = 0; seed < 10; seed++) {
            assertThat(generate(PAIR, hot.withSeed(seed)).ids()).doesNotContain(0, 1, 2, 3, 4);
            GenerationResult free = generate(PAIR, hot.withSeed(seed).withSpecialTokens(true));
            allowed |= IntStream.of(free.ids()).anyMatch(id -> id < 5);
            assertThat(free.text()).doesNotContain("[");
        }
        assertThat(allowed).isTrue();
    }

    @Test
    void cancelEndsTheText() {
        GenerationResult whole = generate(PAIR, GREEDY);
        List<Integer> told = new ArrayList<>();
        GenerationResult result = generator.generate(PAIR, GREEDY, token -> {
            told.add(token.id());
            if (told.size() == 4) {
                generator.cancel();
            }
        });
        assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(whole.ids(), 4));
        GenerationResult gibbs = generator.generate(PAIR, GIBBS, _ -> generator.cancel());
        assertThat(gibbs.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(gibbs.timing().generatedTokens()).isEqualTo(1);
        assertThat(generate(PAIR, GREEDY).ids()).isEqualTo(whole.ids());
    }

    @Test
    void aCancellationEndsTheText() {
        int[] whole = generate(PAIR, GREEDY).ids();
        for (MaskGenerationOptions options : List.of(GREEDY, GIBBS)) {
            Cancellation cancelled = new Cancellation();
            cancelled.cancel();
            assertThat(generator.generate(PAIR, options, TokenListener.NONE, cancelled).finishReason())
                    .isEqualTo(FinishReason.CANCELLED);
            List<TextEnd> ends = new ArrayList<>();
            GenerationResult late = generator.generate(PAIR, options, new TokenListener() {
                @Override
                public void token(GeneratedToken token) {
                    throw new AssertionError("no token is to be written");
                }

                @Override
                public void finished(TextEnd end) {
                    ends.add(end);
                }
            }, Cancellation.after(Duration.ZERO));
            assertThat(late.finishReason()).isEqualTo(FinishReason.TIME);
            assertThat(ends).extracting(TextEnd::reason).containsExactly(FinishReason.TIME);
        }
        Cancellation cancellation = new Cancellation();
        AtomicInteger last = new AtomicInteger(-1);
        generator.runner.session().trace(new Trace() {
            @Override
            public void hidden(int layer, int row, float[] state) {
                last.accumulateAndGet(layer, Math::max);
                cancellation.cancel();
            }
        });
        GenerationResult result = generator.generate(PAIR, GREEDY, TokenListener.NONE, cancellation);
        generator.runner.session().trace(null);
        assertThat(last).as("the last block of two").hasValue(0);
        assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.ids()).isEmpty();
        assertThat(generate(PAIR, GREEDY).ids()).isEqualTo(whole);
    }

    // ---- Gibbs sampling

    @Test
    void masksBehindTheTextAreResampledAndTheTextStays() {
        GenerationResult result = generate(PAIR, GIBBS.withIterations(200));
        assertThat(result.ids()).hasSize(7 + 6).startsWith(10, 11, 13, 14, 5, 10, 12).doesNotContain(0, 1, 2, 3, 4);
        assertThat(result.text()).isEqualTo(bert.tokenizer().decode(result.ids(), true)).startsWith("the man is good.");
        assertThat(result.promptIds()).hasSize(10);
        assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(generate(TaskInput.of(""), GIBBS.withIterations(200)).ids()).hasSize(6);
    }

    @Test
    void masksInTheTextAreResampledToo() {
        GenerationResult result = generate(TaskInput.of("the [MASK] is good"),
                GIBBS.withMaxNewTokens(0).withIterations(20));
        assertThat(result.ids()).hasSize(4);
        assertThat(new int[]{result.ids()[0], result.ids()[2], result.ids()[3]}).containsExactly(10, 13, 14);
        assertThat(result.ids()[1]).isGreaterThan(4);
    }

    @Test
    void aTextWithoutMasksIsItselfResampled() {
        int[] seeded = bert.tokenizer().ids("the man is good in the city");
        GenerationResult result = generate(TaskInput.of("the man is good in the city"),
                GIBBS.withMaxNewTokens(0).withIterations(100));
        assertThat(result.ids()).hasSize(7);
        assertThat(result.ids()).isNotEqualTo(Arrays.copyOfRange(seeded, 1, 8));
        GenerationResult untouched = generate(TaskInput.of("the man is good in the city"),
                GIBBS.withMaxNewTokens(0).withIterations(0));
        assertThat(untouched.ids()).isEqualTo(Arrays.copyOfRange(seeded, 1, 8));
        assertThat(untouched.text()).isEqualTo("the man is good in the city");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> generate(TaskInput.of(""), GIBBS.withMaxNewTokens(0)))
                .withMessageContaining("no mask");
    }

    @Test
    void fromLeftToRightEachPositionIsGivenAllOthers() {
        EncoderInput input = new EncoderInput(new int[]{2, 10, 11, 4, 4, 4, 3}, null, null);
        for (int i = 0; i < 7; i++) {
            int position = 3 + i % 3;
            input = input.with(position, best(input.with(position, TinyBert.MASK), position));
        }
        List<Integer> told = new ArrayList<>();
        GenerationResult result = generator.generate(TaskInput.of("the man"), GIBBS.withGreedy(true)
                .withMaxNewTokens(3).withIterations(7).withOrder(ResampleOrder.LEFT_TO_RIGHT), token -> {
                    told.add(token.id());
                    assertThat(token.text()).isEmpty();
                });
        assertThat(result.ids()).isEqualTo(Arrays.copyOfRange(input.ids(), 1, 6));
        assertThat(told).hasSize(7);
    }

    @Test
    void afterTheBurnInTheMostLikelyTokenIsTakenUnlessThereIsATopK() {
        MaskGenerationOptions options = GIBBS.withMaxNewTokens(3).withOrder(ResampleOrder.LEFT_TO_RIGHT)
                .withIterations(9).withTemperature(5).withSampling(s -> s.without(SamplerKind.TOP_K));
        int[] greedy = generate(PAIR, options.withGreedy(true)).ids();
        assertThat(generate(PAIR, options.withBurnIn(0)).ids()).isEqualTo(greedy);
        Set<List<Integer>> full = new HashSet<>();
        Set<List<Integer>> topK = new HashSet<>();
        for (long seed = 0; seed < 5; seed++) {
            full.add(IntStream.of(generate(PAIR, options.withBurnIn(9).withSeed(seed)).ids()).boxed().toList());
            topK.add(IntStream
                    .of(generate(PAIR, options.withBurnIn(0).withSampling(s -> s.topK(50)).withSeed(seed)).ids())
                    .boxed()
                    .toList());
        }
        assertThat(full).hasSizeGreaterThan(3);
        assertThat(topK).hasSizeGreaterThan(3);
    }

    @Test
    void aTemperatureThatFallsEndsWithTheMostLikelyTokens() {
        MaskGenerationOptions annealed = GIBBS.withMaxNewTokens(1).withSampling(s -> s.without(SamplerKind.TOP_K))
                .withIterations(6).withBurnIn(6)
                .withAnnealing(50, 1e-4);
        int[] greedy = generate(PAIR, annealed.withGreedy(true)).ids();
        List<Integer> lasts = new ArrayList<>();
        Set<Integer> firsts = new HashSet<>();
        for (long seed = 0; seed < 8; seed++) {
            List<Integer> told = new ArrayList<>();
            generator.generate(PAIR, annealed.withSeed(seed), token -> told.add(token.id()));
            firsts.add(told.getFirst());
            lasts.add(told.getLast());
        }
        assertThat(lasts).containsOnly(greedy[greedy.length - 1]);
        assertThat(firsts).hasSizeGreaterThan(3);
    }

    @Test
    void allPositionsAreReachedInRandomOrder() {
        GenerationResult result = generate(TaskInput.of("the"), GIBBS.withMaxNewTokens(20).withIterations(300));
        assertThat(result.ids()).hasSize(21).doesNotContain(TinyBert.MASK);
    }

    @Test
    void badOptionsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withMasks(0)).withMessageContaining("masks");
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withMaxNewTokens(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withTemperature(0));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withAnnealing(1, Double.NaN));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withSampling(s -> s.temperature(2)))
                .withMessageContaining("temperature");
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withIterations(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> MaskGenerator.open(bert.model(), null))
                .withMessageContaining("tokenizer");
    }
}
