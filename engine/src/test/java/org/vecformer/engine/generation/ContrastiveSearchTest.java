package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.DecodingStrategy.ContrastiveSearch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.sampler.SamplingContext;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Contrastive search: against the paper's formula written down plainly, and by its contract. */
class ContrastiveSearchTest extends ByteModelFixture {

    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(40);
    private static final GenerationOptions CONTRASTIVE = GREEDY.withStrategy(new ContrastiveSearch(4, 0.6));

    // ---- what is found

    @Tag("width")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void findsWhatAPlainSearchFinds(long seed, @TempDir Path folder) throws IOException {
        TestModels.write(folder, TestModels.Shape.ODD, seed, DType.F32);
        Random random = new Random(seed);
        int unlike = 0;
        try (Gpt odd = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator contrastive = TextGenerator.open(odd, null);
                ModelFromScratch scratch = new ModelFromScratch(odd)) {
            for (int i = 0; i < 30; i++) {
                int[] prompt = random.ints(1 + random.nextInt(40), 0, odd.outputs()).toArray();
                Sampling sampling = random.nextBoolean()
                        ? Sampling.none()
                        : Sampling.none().noRepeatNgramSize(2).repetitionPenalty(1.2);
                ContrastiveSearch strategy = new ContrastiveSearch(1 + random.nextInt(8), random.nextDouble());
                GenerationOptions greedy = GREEDY.withSampling(sampling).withMaxNewTokens(1 + random.nextInt(25));
                GenerationOptions options = greedy.withStrategy(strategy);
                int[] expected = plain(scratch, prompt, strategy, sampling, options.stopping()
                        .bound(prompt.length, scratch.contextLength()));
                int[] ids = contrastive.generate(prompt, options, TokenListener.NONE).ids();
                assertThat(ids).as("%s", options).isEqualTo(expected);
                unlike += Arrays.equals(ids, contrastive.generate(prompt, greedy, TokenListener.NONE).ids()) ? 0 : 1;
            }
        }
        assertThat(unlike).as("texts that greedy search would not have written").isGreaterThan(10);
    }

    /** Su et al. 2022 (arXiv 2202.06417), formula 5, with everything computed again for each candidate of each step. */
    static int[] plain(ModelFromScratch model, int[] prompt, ContrastiveSearch strategy, Sampling sampling,
            int bound) {
        int[] text = prompt;
        while (text.length < bound) {
            double[] probabilities = probabilities(model, prompt, text, sampling);
            int[] soFar = text;
            List<Integer> likely = IntStream.range(0, probabilities.length).filter(id -> probabilities[id] > 0).boxed()
                    .sorted(Comparator.comparingDouble(id -> -probabilities[id])).limit(strategy.topK()).toList();
            text = ModelFromScratch.concat(soFar, likely.stream().max(Comparator.comparingDouble(id -> {
                float[][] states = model.states(ModelFromScratch.concat(soFar, id));
                double largest = IntStream.range(0, soFar.length)
                        .mapToDouble(i -> cosine(states[i], states[soFar.length])).max().orElseThrow();
                return (1 - strategy.penaltyAlpha()) * probabilities[id] - strategy.penaltyAlpha() * largest;
            })).orElseThrow());
        }
        return Arrays.copyOfRange(text, prompt.length, text.length);
    }

    private static double[] probabilities(ModelFromScratch model, int[] prompt, int[] text, Sampling sampling) {
        Candidates candidates = new Candidates(model.vocabularySize());
        candidates.load(model.logits(text));
        SamplerChain chain = sampling.processors(new SamplingContext(model.contextLength(), new int[0], 1, 0), false);
        chain.acceptPrompt(prompt);
        for (int i = prompt.length; i < text.length; i++) {
            chain.accept(text[i]);
        }
        chain.apply(candidates);
        double[] probabilities = new double[model.vocabularySize()];
        for (int i = 0; i < candidates.size(); i++) {
            probabilities[candidates.ids()[i]] = Math.exp(candidates.logits()[i]);
        }
        double sum = Arrays.stream(probabilities).sum();
        return Arrays.stream(probabilities).map(p -> p / sum).toArray();
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(squaresOfA * squaresOfB);
    }

    @Test
    void withoutAPenaltyOrAChoiceItIsGreedy() {
        int[] greedy = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        for (ContrastiveSearch strategy : List.of(new ContrastiveSearch(5, 0), new ContrastiveSearch(1, 0.9))) {
            assertThat(generator.generate(PROMPT, GREEDY.withStrategy(strategy), TokenListener.NONE).ids())
                    .isEqualTo(greedy);
        }
        assertThat(generator.generate(PROMPT, CONTRASTIVE, TokenListener.NONE).ids()).isNotEqualTo(greedy);
    }

    /** With a penalty alone the most unlike would win, however unlikely; what is forbidden must not. */
    @Test
    void whatIsForbiddenIsNotTried() {
        int[] forbidden = IntStream.range(0, 250).toArray();
        GenerationOptions options = GREEDY.withStrategy(new ContrastiveSearch(300, 1))
                .withSampling(s -> s.suppressTokens(forbidden));
        assertThat(IntStream.of(generator.generate(PROMPT, options, TokenListener.NONE).ids()).boxed()).hasSize(40)
                .allMatch(id -> id >= 250);
    }

    @Test
    void neitherCacheNorBatchNorOtherPromptsChangeTheText() {
        List<int[]> prompts = List.of(PROMPT, new int[]{5}, IntStream.range(40, 75).toArray());
        List<GenerationResult> together = generator.generateAll(prompts, CONTRASTIVE, TokenListener.NONE);
        for (int rows : new int[]{1, 3, 128}) {
            try (TextGenerator alone = TextGenerator.open(model, tokenizer,
                    SessionOptions.defaults().withMaxBatchTokens(rows))) {
                for (int p = 0; p < prompts.size(); p++) {
                    for (boolean useCache : new boolean[]{true, false}) {
                        assertThat(alone.generate(prompts.get(p), CONTRASTIVE.withUseCache(useCache),
                                TokenListener.NONE).ids()).isEqualTo(together.get(p).ids()).hasSize(40);
                    }
                }
            }
        }
    }

    // ---- what is told, and ends

    @Test
    void tellsTokensAsTheyAreWritten() {
        List<GeneratedToken> heard = new ArrayList<>();
        GenerationResult result = generator.generate(PROMPT, CONTRASTIVE.withLogprobs(2), heard::add);
        assertThat(heard.stream().mapToInt(GeneratedToken::id).toArray()).isEqualTo(result.ids());
        try (ModelFromScratch scratch = new ModelFromScratch(model)) {
            for (int i = 0; i < heard.size(); i++) {
                double[] expected = scratch.logProbabilities(
                        ModelFromScratch.concat(PROMPT, Arrays.copyOf(result.ids(), i)));
                assertThat(heard.get(i).score()).isEqualTo(result.sequences().getFirst().logprobs().get(i));
                assertThat(heard.get(i).score().logprob()).isCloseTo(expected[heard.get(i).id()], within(1e-4));
            }
        }
    }

    @Test
    void endsWhereItIsTold() {
        int[] all = generator.generate(PROMPT, CONTRASTIVE, TokenListener.NONE).ids();
        int first = IntStream.range(0, all.length).filter(i -> all[i] == all[9]).findFirst().orElseThrow();
        GenerationResult ended = generator.generate(PROMPT, CONTRASTIVE.withEndTokens(all[9]), TokenListener.NONE);
        assertThat(ended.ids()).isEqualTo(Arrays.copyOf(all, first + 1));
        assertThat(ended.finishReason()).isEqualTo(FinishReason.EOS);
        assertThat(generator.generate(PROMPT, CONTRASTIVE.withStopping(Stopping.whenFull()), TokenListener.NONE).ids())
                .hasSize(model.config().contextLength() - PROMPT.length).startsWith(all);
        assertThat(generator.generate(PROMPT, CONTRASTIVE.withMaxNewTokens(0), TokenListener.NONE).ids()).isEmpty();
    }

    @Test
    void whatIsWrittenSoFarIsReturnedWhenItIsInterrupted() {
        int[] all = generator.generate(PROMPT, CONTRASTIVE, TokenListener.NONE).ids();
        try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(1000))) {
            GenerationResult cancelled = new DecodingLoop(session, tokenizer).run(List.of(PROMPT), CONTRASTIVE, 0,
                    TokenListener.NONE, () -> session.steps() > 9 ? FinishReason.CANCELLED : null).get(0);
            assertThat(cancelled.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(cancelled.ids()).isEqualTo(Arrays.copyOf(all, 9));
            assertThat(cancelled.text()).isEqualTo(tokenizer.decode(cancelled.ids(), true));
        }
        GenerationResult late = generator.generate(PROMPT,
                CONTRASTIVE.withStopping(CONTRASTIVE.stopping().withMaxTime(Duration.ofNanos(1))),
                TokenListener.NONE);
        assertThat(late.finishReason()).isEqualTo(FinishReason.TIME);
        assertThat(late.ids()).isEmpty();
    }

    @Test
    void whatAListenerThrowsReachesTheCallerAndLeavesTheCacheFree() {
        int[] all = generator.generate(PROMPT, CONTRASTIVE, TokenListener.NONE).ids();
        long positions = DecodingLoop.cachePositions(List.of(PROMPT), CONTRASTIVE, model.config().contextLength());
        try (TextGenerator exact = TextGenerator.open(model, tokenizer,
                SessionOptions.defaults().withCacheTokens(positions))) {
            for (int i = 0; i < 10; i++) {
                RuntimeException mine = new IllegalStateException("listener");
                AtomicInteger heard = new AtomicInteger();
                assertThatThrownBy(() -> exact.generate(PROMPT, CONTRASTIVE, _ -> {
                    if (heard.incrementAndGet() == 20) {
                        throw mine;
                    }
                })).isSameAs(mine);
            }
            assertThat(exact.generate(PROMPT, CONTRASTIVE, TokenListener.NONE).ids()).isEqualTo(all);
        }
    }
}
