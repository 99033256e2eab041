package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.DecodingStrategy.BeamSearch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Beams: against a search that is written down plainly, and by their contract. */
class BeamSearchTest extends ByteModelFixture {

    private static final BeamSearch FOUR = new BeamSearch(4);
    private static final GenerationOptions BEAMS = GenerationOptions.defaults().withStrategy(FOUR)
            .withReturnSequences(4).withMaxNewTokens(30);

    // ---- what is found

    @Tag("width")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void findsWhatAPlainSearchFinds(long seed, @TempDir Path folder) throws IOException {
        TestModels.write(folder, TestModels.Shape.ODD, seed, DType.F32);
        Random random = new Random(seed);
        int ended = 0;
        try (Gpt odd = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator beams = TextGenerator.open(odd, null);
                ModelFromScratch scratch = new ModelFromScratch(odd)) {
            for (int i = 0; i < 60; i++) {
                int[] prompt = random.ints(1 + random.nextInt(40), 0, odd.outputs()).toArray();
                GenerationOptions options = options(random);
                int[] some = beams.generate(prompt, options, TokenListener.NONE).ids();
                Integer[] ends = random.ints(random.nextInt(3), 0, some.length).mapToObj(at -> some[at]).distinct()
                        .toArray(Integer[]::new);
                GenerationOptions ending = options.withEndTokens(ends);
                List<PlainBeamSearch.Scored> expected = new PlainBeamSearch(scratch, prompt, ending).run();
                GenerationResult result = beams.generate(prompt, ending, TokenListener.NONE);
                assertThat(result.sequences()).as("%s", ending).hasSameSizeAs(expected);
                for (int s = 0; s < expected.size(); s++) {
                    GeneratedSequence sequence = result.sequences().get(s);
                    assertThat(sequence.ids()).as("%s", ending).isEqualTo(expected.get(s).ids());
                    double score = expected.get(s).score();
                    assertThat(sequence.score().orElseThrow()).as("%s", ending)
                            .isCloseTo(score, within(1e-4 * Math.max(1, Math.abs(score))));
                    boolean end = ending.stopping().endTokens().contains(sequence.ids()[sequence.ids().length - 1]);
                    assertThat(sequence.finishReason()).isEqualTo(end ? FinishReason.EOS : FinishReason.LENGTH);
                    ended += end ? 1 : 0;
                }
            }
        }
        assertThat(ended).as("beams that ended").isGreaterThan(30);
    }

    private static GenerationOptions options(Random random) {
        int groups = random.nextInt(3) == 0 ? 2 + random.nextInt(2) : 1;
        int beams = groups * (1 + random.nextInt(groups > 1 ? 2 : 5));
        EarlyStopping[] stopping = EarlyStopping.values();
        BeamSearch strategy = new BeamSearch(beams)
                .withLengthPenalty(new double[]{1, -1, 0, 0.7, 2}[random.nextInt(5)])
                .withEarlyStopping(stopping[random.nextInt(stopping.length)])
                .withGroups(groups, groups > 1 ? random.nextInt(3) : 0);
        if (groups == 1 && random.nextInt(3) == 0) {
            strategy = strategy.withDrawing().withSeed(random.nextLong());
        }
        GenerationOptions options = GenerationOptions.defaults().withStrategy(strategy)
                .withReturnSequences(1 + random.nextInt(beams)).withMaxNewTokens(1 + random.nextInt(20))
                .withSampling(switch (random.nextInt(5)) {
                    case 0 -> Sampling.none().noRepeatNgramSize(2);
                    case 1 -> Sampling.none().repetitionPenalty(1.3).minNewTokens(3).renormalize();
                    case 2 -> Sampling.none().temperature(2).topK(20);
                    default -> Sampling.none();
                });
        return switch (random.nextInt(6)) {
            case 0 -> options.withGuidance(new Guidance(1.5));
            case 1 -> options.withGuidance(new Guidance(0.7, new int[]{3, 1, 4, 1, 5}));
            default -> options;
        };
    }

    @Test
    void oneBeamIsGreedy() {
        GenerationOptions greedy = GenerationOptions.defaults();
        for (GenerationOptions options : List.of(greedy, greedy.withGuidance(new Guidance(1.5)),
                greedy.withSampling(s -> s.noRepeatNgramSize(2)))) {
            GenerationResult beam = generator.generate(PROMPT, options.withStrategy(new BeamSearch(1)),
                    TokenListener.NONE);
            GenerationResult single = generator.generate(PROMPT, options, TokenListener.NONE);
            assertThat(beam.ids()).isEqualTo(single.ids());
            assertThat(beam.text()).isEqualTo(single.text());
        }
    }

    @Test
    void groupsOfOneBeamThatAvoidEachOther() {
        GenerationOptions options = BEAMS.withStrategy(FOUR.withGroups(4, 1e4)).withMaxNewTokens(12);
        List<GeneratedSequence> sequences = generator.generate(PROMPT, options, TokenListener.NONE).sequences();
        for (int at = 0; at < 12; at++) {
            int i = at;
            assertThat(sequences.stream().map(sequence -> sequence.ids()[i])).doesNotHaveDuplicates();
        }
        assertThat(sequences.getFirst().ids()).isEqualTo(generator.generate(PROMPT,
                GenerationOptions.defaults().withMaxNewTokens(12), TokenListener.NONE).ids());
        GenerationOptions equal = BEAMS.withStrategy(FOUR.withGroups(4, 0));
        assertThat(generator.generate(PROMPT, equal, TokenListener.NONE).sequences().stream()
                .map(sequence -> Arrays.toString(sequence.ids())).distinct()).as("without a penalty").hasSize(1);
    }

    @Test
    void theBestComeFirstAndFewerAreTheFirstOfThem() {
        List<GeneratedSequence> four = generator.generate(PROMPT, BEAMS, TokenListener.NONE).sequences();
        assertThat(four.stream().map(sequence -> -sequence.score().orElseThrow())).isSorted();
        assertThat(four.stream().map(sequence -> Arrays.toString(sequence.ids()))).doesNotHaveDuplicates();
        List<GeneratedSequence> two = generator.generate(PROMPT, BEAMS.withReturnSequences(2), TokenListener.NONE)
                .sequences();
        assertSame(two, four.subList(0, 2));
    }

    private static void assertSame(List<GeneratedSequence> actual, List<GeneratedSequence> expected) {
        assertThat(actual).usingRecursiveFieldByFieldElementComparator().isEqualTo(expected);
    }

    @Test
    void neitherCacheNorBatchNorThreadsNorOtherPromptsChangeBeams() {
        List<int[]> prompts = List.of(PROMPT, new int[]{5}, IntStream.range(40, 75).toArray());
        for (GenerationOptions options : List.of(BEAMS, BEAMS.withStrategy(FOUR.withGroups(2, 1.5)),
                BEAMS.withStrategy(FOUR.withDrawing().withSeed(3)).withGuidance(new Guidance(1.4)).withLogprobs(2))) {
            List<GenerationResult> together = generator.generateAll(prompts, options, TokenListener.NONE);
            for (int rows : new int[]{1, 3, 128}) {
                try (Engine narrow = TestBackends.open(rows == 3 ? 1 : 2);
                        Gpt again = Gpt.load(narrow, ModelFiles.of(directory), LoadOptions.defaults());
                        TextGenerator alone = TextGenerator.open(again, tokenizer,
                                SessionOptions.defaults().withMaxBatchTokens(rows))) {
                    for (int p = 0; p < prompts.size(); p++) {
                        GenerationOptions own = options.withUseCache(rows != 3);
                        assertSame(alone.generate(prompts.get(p), own, TokenListener.NONE).sequences(),
                                together.get(p).sequences());
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    // ---- drawing

    @Test
    void theSameSeedDrawsTheSameBeams() {
        GenerationOptions drawing = BEAMS.withStrategy(FOUR.withDrawing().withSeed(7))
                .withSampling(s -> s.temperature(3));
        List<GeneratedSequence> first = generator.generate(PROMPT, drawing, TokenListener.NONE).sequences();
        assertSame(generator.generate(PROMPT, drawing, TokenListener.NONE).sequences(), first);
        assertThat(generator.generate(PROMPT, drawing.withSeed(8), TokenListener.NONE).ids())
                .isNotEqualTo(first.getFirst().ids());
        assertThat(first.stream().map(sequence -> -sequence.score().orElseThrow())).isSorted();
    }

    /** Two of five tokens, without replacement: in a text of one token those are the beams. */
    @Test
    void drawsPairsWithTheirProbabilities() {
        GenerationOptions drawing = BEAMS.withMaxNewTokens(1).withReturnSequences(2)
                .withSampling(s -> s.temperature(4).topK(5));
        float[] logits;
        try (ModelFromScratch scratch = new ModelFromScratch(model)) {
            logits = scratch.logits(PROMPT);
        }
        // Two beams draw four tokens, of which the first two end; the temperature shapes log-probabilities.
        List<Integer> best = IntStream.range(0, logits.length).boxed()
                .sorted((a, b) -> Float.compare(logits[b], logits[a])).limit(5).toList();
        double[] p = best.stream().mapToDouble(id -> Math.exp((logits[id] - logits[best.get(0)]) / 4)).toArray();
        double sum = Arrays.stream(p).sum();
        Map<Set<Integer>, Double> expected = new HashMap<>();
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 5; j++) {
                if (i != j) {
                    expected.merge(Set.of(best.get(i), best.get(j)), p[i] / sum * p[j] / (sum - p[i]), Double::sum);
                }
            }
        }
        int draws = 4000;
        Map<Set<Integer>, Integer> counts = new HashMap<>();
        for (int seed = 0; seed < draws; seed++) {
            List<GeneratedSequence> pair = generator.generate(PROMPT,
                    drawing.withStrategy(new BeamSearch(2).withDrawing().withSeed(seed)), TokenListener.NONE)
                    .sequences();
            counts.merge(Set.of(pair.get(0).ids()[0], pair.get(1).ids()[0]), 1, Integer::sum);
        }
        assertThat(expected.keySet()).containsAll(counts.keySet());
        double chiSquare = expected.entrySet().stream().mapToDouble(pair -> {
            double mean = pair.getValue() * draws;
            return Math.pow(counts.getOrDefault(pair.getKey(), 0) - mean, 2) / mean;
        }).sum();
        assertThat(chiSquare).as("9 degrees of freedom; once in 100,000 times above 39.3").isLessThan(39.3);
    }

    @Test
    void mirostatDrawsNoBeams() {
        assertThatIllegalArgumentException().isThrownBy(() -> generator.generate(PROMPT,
                BEAMS.withStrategy(FOUR.withDrawing()).withSampling(s -> s.mirostat(5, 0.1)), TokenListener.NONE))
                .withMessageContaining("mirostat");
    }

    // ---- what is told

    @Test
    void tellsTheBeamsWhenTheyAreFinal() {
        List<int[]> prompts = List.of(PROMPT, new int[]{5, 6});
        Map<Integer, List<Integer>> ids = new TreeMap<>();
        Map<Integer, List<TokenScore>> scores = new TreeMap<>();
        Map<Integer, StringBuilder> texts = new TreeMap<>();
        Set<Integer> finished = new TreeSet<>();
        TokenListener listener = new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
                assertThat(finished).doesNotContain(token.sequence());
                ids.computeIfAbsent(token.sequence(), _ -> new ArrayList<>()).add(token.id());
                scores.computeIfAbsent(token.sequence(), _ -> new ArrayList<>()).add(token.score());
                texts.computeIfAbsent(token.sequence(), _ -> new StringBuilder()).append(token.text());
            }

            @Override
            public void finished(TextEnd end) {
                assertThat(finished.add(end.sequence())).isTrue();
                texts.get(end.sequence()).append(end.text());
            }
        };
        List<GenerationResult> results = generator.generateAll(prompts, BEAMS.withLogprobs(3).withReturnSequences(3),
                listener);
        assertThat(finished).containsExactly(0, 1, 2, 3, 4, 5);
        for (int i = 0; i < 6; i++) {
            GeneratedSequence sequence = results.get(i / 3).sequences().get(i % 3);
            assertThat(ids.get(i)).isEqualTo(IntStream.of(sequence.ids()).boxed().toList());
            assertThat(scores.get(i)).isEqualTo(sequence.logprobs());
            assertThat(texts.get(i)).hasToString(sequence.text());
            assertThat(sequence.text()).isEqualTo(tokenizer.decode(sequence.ids(), true));
        }
        assertThat(results.get(0).timing().generatedTokens()).isEqualTo(6 * 30);
    }

    @Test
    void logprobsAreTheModels() {
        GenerationOptions options = BEAMS.withLogprobs(2).withSampling(s -> s.repetitionPenalty(1.5));
        try (ModelFromScratch scratch = new ModelFromScratch(model)) {
            for (GeneratedSequence sequence : generator.generate(PROMPT, options, TokenListener.NONE).sequences()) {
                assertThat(sequence.logprobs()).hasSameSizeAs(IntStream.of(sequence.ids()).boxed().toList());
                for (int i = 0; i < sequence.ids().length; i++) {
                    double[] expected = scratch.logProbabilities(
                            ModelFromScratch.concat(PROMPT, Arrays.copyOf(sequence.ids(), i)));
                    TokenScore score = sequence.logprobs().get(i);
                    assertThat(score.id()).isEqualTo(sequence.ids()[i]);
                    assertThat(score.logprob()).isCloseTo(expected[score.id()], within(1e-4));
                    assertThat(score.top()).hasSize(2);
                    assertThat(score.top().getFirst().logprob())
                            .isCloseTo(Arrays.stream(expected).max().orElseThrow(), within(1e-4));
                }
            }
        }
        GenerationOptions plain = BEAMS.withLogprobs(0)
                .withStrategy(FOUR.withLengthPenalty(0)).withReturnSequences(1);
        GeneratedSequence sequence = generator.generate(PROMPT, plain, TokenListener.NONE).sequences().getFirst();
        assertThat(sequence.score().orElseThrow())
                .isCloseTo(sequence.logprobs().stream().mapToDouble(TokenScore::logprob).sum(), within(1e-3));
    }

    // ---- ends

    @Test
    void aStopTextEndsABeamAsAnEndTokenDoes() {
        int[] all = generator.generate(PROMPT, BEAMS, TokenListener.NONE).ids();
        // A byte is a token, so the text of one character is that of one end token.
        int end = IntStream.of(all).filter(id -> id > 32 && id < 127)
                .filter(id -> endsIn(FinishReason.EOS, id)).findFirst().orElseThrow();
        String text = tokenizer.decode(new int[]{end}, true);
        List<GeneratedSequence> byToken = generator.generate(PROMPT, BEAMS.withEndTokens(end), TokenListener.NONE)
                .sequences();
        List<GeneratedSequence> byText = generator.generate(PROMPT, BEAMS.withStopTexts(text), TokenListener.NONE)
                .sequences();
        List<GeneratedSequence> byCondition = generator.generate(PROMPT,
                BEAMS.withStopping(BEAMS.stopping().withCondition((ids, _) -> ids[ids.length - 1] == end)),
                TokenListener.NONE).sequences();
        for (int i = 0; i < 4; i++) {
            GeneratedSequence expected = byToken.get(i);
            for (GeneratedSequence sequence : List.of(byText.get(i), byCondition.get(i))) {
                assertThat(sequence.ids()).isEqualTo(expected.ids());
                assertThat(sequence.score()).isEqualTo(expected.score());
                assertThat(sequence.finishReason()).isEqualTo(expected.finishReason() == FinishReason.EOS
                        ? FinishReason.STOP
                        : FinishReason.LENGTH);
            }
            assertThat(byText.get(i).text()).isEqualTo(expected.text()).doesNotContain(text);
        }
    }

    private boolean endsIn(FinishReason reason, int endToken) {
        return generator.generate(PROMPT, BEAMS.withEndTokens(endToken), TokenListener.NONE).sequences().stream()
                .anyMatch(sequence -> sequence.finishReason() == reason);
    }

    @Test
    void aCompleteConstraintEndsABeam() {
        GenerationOptions options = BEAMS.withSampling(s -> s.constraint(new Only(Set.of(65, 66), 2)));
        List<GeneratedSequence> sequences = generator.generate(PROMPT, options, TokenListener.NONE).sequences();
        assertThat(sequences).allSatisfy(sequence -> {
            assertThat(sequence.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(sequence.ids()).hasSize(2);
        });
        assertThat(sequences.stream().map(sequence -> Arrays.toString(sequence.ids()))).containsExactlyInAnyOrder(
                "[65, 65]", "[65, 66]", "[66, 65]", "[66, 66]");
    }

    @Test
    void thereAreNotMoreSequencesThanAreAllowed() {
        GenerationOptions one = BEAMS.withSampling(s -> s.constraint(new Only(Set.of(65), 3)));
        List<GenerationResult> results = generator.generateAll(List.of(PROMPT, new int[]{7}), one,
                TokenListener.NONE);
        assertThat(results).allSatisfy(result -> {
            assertThat(result.sequences()).hasSize(1);
            assertThat(result.ids()).containsExactly(65, 65, 65);
        });
        GenerationOptions none = BEAMS.withSampling(s -> s.constraint(new Only(Set.of(), 3)));
        assertThatIllegalStateException().isThrownBy(() -> generator.generate(PROMPT, none, TokenListener.NONE))
                .withMessageContaining("no token");
        assertThat(generator.generate(PROMPT, one, TokenListener.NONE).ids()).hasSize(3);
    }

    /** Allows these tokens, so many times. */
    private record Only(Set<Integer> ids, int count, int[] accepted) implements Sampler {

        Only(Set<Integer> ids, int count) {
            this(ids, count, new int[1]);
        }

        @Override
        public void apply(Candidates candidates) {
            for (int i = 0; i < candidates.size(); i++) {
                if (!ids.contains(candidates.ids()[i])) {
                    candidates.logits()[i] = Float.NEGATIVE_INFINITY;
                }
            }
        }

        @Override
        public void accept(int token) {
            assertThat(ids).contains(token);
            accepted[0]++;
        }

        @Override
        public boolean isComplete() {
            return accepted[0] == count;
        }

        @Override
        public Only copy() {
            return new Only(ids, count, accepted.clone());
        }
    }

    @Test
    void withNothingToWriteThereIsOneEmptySequence() {
        GenerationResult result = generator.generate(PROMPT, BEAMS.withMaxNewTokens(0), _ -> {
            throw new AssertionError("nothing was to be written");
        });
        assertThat(result.sequences()).hasSize(1);
        assertThat(result.ids()).isEmpty();
        assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(generator.generate(PROMPT, BEAMS.withStopping(Stopping.whenFull()), TokenListener.NONE).sequences())
                .allSatisfy(sequence -> assertThat(sequence.ids()).hasSize(96 - PROMPT.length));
    }

    /** After n steps the beams are those of a search for n tokens. */
    @Test
    void whatIsBestSoFarIsReturnedWhenItIsInterrupted() {
        for (BeamSearch strategy : List.of(FOUR, FOUR.withGroups(2, 1))) {
            GenerationOptions options = BEAMS.withStrategy(strategy);
            try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(1000))) {
                List<GeneratedSequence> cancelled = new DecodingLoop(session, tokenizer).run(List.of(PROMPT), options,
                        0, TokenListener.NONE, () -> session.steps() > 8 ? FinishReason.CANCELLED : null).get(0)
                        .sequences();
                List<GeneratedSequence> expected = generator.generate(PROMPT, options.withMaxNewTokens(9),
                        TokenListener.NONE).sequences();
                for (int i = 0; i < 4; i++) {
                    assertThat(cancelled.get(i).finishReason()).isEqualTo(FinishReason.CANCELLED);
                    assertThat(cancelled.get(i).ids()).isEqualTo(expected.get(i).ids()).hasSize(9);
                    assertThat(cancelled.get(i).score()).isEqualTo(expected.get(i).score());
                }
            }
        }
        GenerationResult late = generator.generate(PROMPT,
                BEAMS.withStopping(BEAMS.stopping().withMaxTime(Duration.ofNanos(1))), TokenListener.NONE);
        assertThat(late.sequences()).hasSize(1);
        assertThat(late.ids()).isEmpty();
        assertThat(late.finishReason()).isEqualTo(FinishReason.TIME);
    }

    /** What had ended keeps its own reason. */
    @Test
    void anInterruptionDoesNotTakeBackAnEnd() {
        int end = generator.generate(PROMPT, BEAMS, TokenListener.NONE).ids()[3];
        int mixed = 0;
        for (int steps = 1; steps < 12; steps++) {
            int last = steps;
            try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(1000))) {
                List<GeneratedSequence> cancelled = new DecodingLoop(session, tokenizer).run(List.of(PROMPT),
                        BEAMS.withEndTokens(end), 0, TokenListener.NONE,
                        () -> session.steps() >= last ? FinishReason.CANCELLED : null).get(0)
                        .sequences();
                assertThat(cancelled).allSatisfy(sequence -> assertThat(sequence.finishReason())
                        .isEqualTo(sequence.ids()[sequence.ids().length - 1] == end
                                ? FinishReason.EOS
                                : FinishReason.CANCELLED));
                mixed += cancelled.stream().map(GeneratedSequence::finishReason).distinct().count() == 2 ? 1 : 0;
            }
        }
        assertThat(mixed).isPositive();
    }

    // ---- memory

    @Test
    void aCacheOfJustThePositionsThatAreSaidToBeNeededSuffices() {
        List<GenerationOptions> all = List.of(BEAMS, BEAMS.withGuidance(new Guidance(1.3, new int[40])),
                BEAMS.withUseCache(false), BEAMS.withStrategy(new BeamSearch(6).withGroups(3, 2)),
                BEAMS.withStrategy(DecodingStrategy.random(1)).withSampling(s -> s.temperature(3)),
                BEAMS.withStrategy(DecodingStrategy.random(1)).withGuidance(new Guidance(1.3)),
                BEAMS.withReturnSequences(1).withStrategy(new DecodingStrategy.ContrastiveSearch(5, 0.5)),
                BEAMS.withReturnSequences(1).withStrategy(new DecodingStrategy.ContrastiveSearch(5, 0.5))
                        .withUseCache(false));
        for (GenerationOptions options : all) {
            for (int length : new int[]{1, 31, 32, 33, 64}) {
                List<int[]> prompts = List.of(IntStream.range(0, length).toArray(), new int[]{9, 8, 7});
                long positions = DecodingLoop.cachePositions(prompts, options, model.config().contextLength());
                List<GenerationResult> expected = generator.generateAll(prompts, options, TokenListener.NONE);
                try (TextGenerator exact = TextGenerator.open(model, tokenizer,
                        SessionOptions.defaults().withCacheTokens(positions));
                        TextGenerator small = TextGenerator.open(model, tokenizer,
                                SessionOptions.defaults().withCacheTokens(positions - 32))) {
                    for (int again = 0; again < 2; again++) {
                        List<GenerationResult> results = exact.generateAll(prompts, options, TokenListener.NONE);
                        for (int p = 0; p < 2; p++) {
                            assertSame(results.get(p).sequences(), expected.get(p).sequences());
                        }
                    }
                    assertThatExceptionOfType(CacheFullException.class)
                            .isThrownBy(() -> small.generateAll(prompts, options, TokenListener.NONE));
                }
            }
        }
    }

    @Test
    void whatIsThrownReachesTheCallerAndLeavesTheCacheFree() {
        RuntimeException mine = new IllegalStateException("mine");
        AtomicInteger calls = new AtomicInteger();
        Runnable thirtieth = () -> {
            if (calls.incrementAndGet() == 30) {
                throw mine;
            }
        };
        long positions = DecodingLoop.cachePositions(List.of(PROMPT), BEAMS, model.config().contextLength());
        List<GeneratedSequence> expected = generator.generate(PROMPT, BEAMS, TokenListener.NONE).sequences();
        try (TextGenerator exact = TextGenerator.open(model, tokenizer,
                SessionOptions.defaults().withCacheTokens(positions))) {
            for (int i = 0; i < 5; i++) {
                calls.set(0);
                assertThatThrownBy(() -> exact.generate(PROMPT, BEAMS, _ -> thirtieth.run())).isSameAs(mine);
                calls.set(0);
                assertThatThrownBy(() -> exact.generate(PROMPT,
                        BEAMS.withStopping(BEAMS.stopping().withCondition((_, _) -> {
                            thirtieth.run();
                            return false;
                        })), TokenListener.NONE)).isSameAs(mine);
                calls.set(0);
                assertThatThrownBy(() -> exact.generate(PROMPT,
                        BEAMS.withSampling(s -> s.constraint(new Calling(thirtieth))), TokenListener.NONE))
                        .isSameAs(mine);
            }
            assertSame(exact.generate(PROMPT, BEAMS, TokenListener.NONE).sequences(), expected);
        }
    }

    private record Calling(Runnable called) implements Sampler {
        @Override
        public void apply(Candidates candidates) {
            called.run();
        }

        @Override
        public Calling copy() {
            return this;
        }
    }
}
