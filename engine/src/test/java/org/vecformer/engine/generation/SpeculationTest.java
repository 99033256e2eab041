package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.Drafting.DraftModel;
import org.vecformer.engine.generation.Drafting.PromptLookup;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Drafts change how long it takes, never what is written. */
@Tag("width")
class SpeculationTest {

    private static final int[] PROMPT = {5, 9, 5, 9, 5, 9, 61, 62, 5};
    private static final GenerationOptions GREEDY = GenerationOptions.defaults();
    private static final GenerationOptions DRAWING = GREEDY.withStrategy(DecodingStrategy.random(3))
            .withSampling(s -> s.temperature(1.5).topK(20).topP(0.95));

    @TempDir
    private static Path directory;
    private static Engine engine;
    private static Gpt model;
    private static Gpt other;
    private static Gpt small;

    @BeforeAll
    static void load() throws IOException {
        engine = TestBackends.open(2);
        TestModels.Shape shape = TestModels.Shape.EVEN;
        model = load("model", shape, 11);
        other = load("other", shape, 12);
        small = load("small", new TestModels.Shape(shape.vocabulary(), 40, 32, 1, 2, 64), 13);
    }

    private static Gpt load(String name, TestModels.Shape shape, long seed) throws IOException {
        Path folder = TestModels.write(directory.resolve(name), shape, seed, DType.F32);
        return Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
    }

    @AfterAll
    static void close() {
        model.close();
        other.close();
        small.close();
        engine.close();
    }

    /** The model itself guesses right always, another one hardly ever, a short one not beyond its context. */
    static List<Drafting> draftings() {
        return List.of(new PromptLookup(1), new PromptLookup(5), new PromptLookup(4, 3), new DraftModel(model, 1),
                new DraftModel(model, 4), new DraftModel(other, 3), new DraftModel(small, 5));
    }

    @ParameterizedTest
    @MethodSource("draftings")
    void theTextIsThatWithoutDrafts(Drafting drafting) {
        for (GenerationOptions options : List.of(GREEDY, DRAWING, DRAWING.withSeed(77),
                DRAWING.withMaxNewTokens(7), DRAWING.withLogprobs(2))) {
            assertSame(options, drafting, SessionOptions.defaults());
            assertSame(options, drafting, SessionOptions.defaults().withMaxBatchTokens(3));
        }
    }

    private static void assertSame(GenerationOptions options, Drafting drafting, SessionOptions session) {
        try (TextGenerator generator = TextGenerator.open(model, null, session)) {
            List<GeneratedToken> plainTokens = new ArrayList<>();
            List<GeneratedToken> draftedTokens = new ArrayList<>();
            GenerationResult plain = generator.generate(PROMPT, options, plainTokens::add);
            GenerationResult drafted = generator.generate(PROMPT, options.withDrafting(drafting), draftedTokens::add);
            assertThat(drafted.ids()).isEqualTo(plain.ids());
            assertThat(drafted.finishReason()).isEqualTo(plain.finishReason());
            assertThat(drafted.sequences().get(0).logprobs()).isEqualTo(plain.sequences().get(0).logprobs());
            assertThat(draftedTokens).isEqualTo(plainTokens);
        }
    }

    @ParameterizedTest
    @MethodSource("draftings")
    void itEndsWhereItWouldWithoutDrafts(Drafting drafting) {
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            int[] all = generator.generate(PROMPT, DRAWING, TokenListener.NONE).ids();
            for (int end : new int[]{0, 1, 6, 17}) {
                GenerationOptions ending = DRAWING.withEndTokens(all[end]);
                GenerationResult plain = generator.generate(PROMPT, ending, TokenListener.NONE);
                GenerationResult drafted = generator.generate(PROMPT, ending.withDrafting(drafting),
                        TokenListener.NONE);
                assertThat(drafted.ids()).isEqualTo(plain.ids());
                assertThat(drafted.finishReason()).isEqualTo(FinishReason.EOS);
            }
        }
    }

    @Test
    void goodGuessesSaveSteps() {
        long plain = steps(GREEDY.withMaxNewTokens(60));
        assertThat(plain).isEqualTo(60);
        assertThat(steps(GREEDY.withMaxNewTokens(60).withDrafting(new DraftModel(model, 4))))
                .as("the prompt gives one token, each later step five").isEqualTo(1 + 12);
        assertThat(steps(DRAWING.withMaxNewTokens(60).withDrafting(new DraftModel(model, 4))))
                .as("the draft draws the same random numbers").isEqualTo(1 + 12);
        assertThat(steps(GREEDY.withMaxNewTokens(60).withDrafting(new DraftModel(other, 4))))
                .as("guesses of a model that knows nothing").isBetween(30L, 60L);
    }

    /** How many steps the model itself takes, the prompt's included. */
    private static long steps(GenerationOptions options) {
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            return generator.generate(PROMPT, options, TokenListener.NONE).timing().steps() + 1;
        }
    }

    @Test
    void aRepetitiveTextIsLookedUp() {
        GenerationOptions repeating = GREEDY.withSampling(s -> s.with(SamplerKind.CONSTRAINT, new Cycle(1)))
                .withMaxNewTokens(61);
        assertThat(steps(repeating)).isEqualTo(61);
        assertThat(steps(repeating.withDrafting(new PromptLookup(5))))
                .as("the eighth shows that it is a cycle; six each step from then on").isEqualTo(8 + 9);
    }

    /** Lets 1, 2, ... 7, 1, 2, ... come, in turn. */
    private static final class Cycle implements Sampler {
        private int next;

        Cycle(int next) {
            this.next = next;
        }

        @Override
        public void apply(Candidates candidates) {
            for (int id = 0; id < candidates.size(); id++) {
                candidates.logits()[id] = id == next ? 0 : Float.NEGATIVE_INFINITY;
            }
        }

        @Override
        public void accept(int token) {
            next = next % 7 + 1;
        }

        @Override
        public Sampler copy() {
            return new Cycle(next);
        }
    }

    /** Pairs of tokens that are drawn with drafts have the distribution of pairs that are drawn without. */
    @Test
    void drawnTextsHaveTheDistributionOfTheModel() {
        int draws = 4000;
        GenerationOptions options = DRAWING.withSampling(s -> s.temperature(1).topK(3)).withMaxNewTokens(3);
        Map<List<Integer>, Integer> plain = new HashMap<>();
        Map<List<Integer>, Integer> drafted = new HashMap<>();
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            for (int i = 0; i < draws; i++) {
                count(generator, options.withSeed(i), plain);
                count(generator, options.withSeed(1_000_000 + i).withDrafting(new DraftModel(other, 2)), drafted);
            }
        }
        // The chi-square test of two samples of the same size; texts that are rare go together.
        double chiSquare = 0;
        int cells = 0;
        int rareOfPlain = 0;
        int rareOfDrafted = 0;
        for (List<Integer> text : plain.keySet()) {
            int a = plain.get(text);
            int b = drafted.getOrDefault(text, 0);
            if (a + b < 20) {
                rareOfPlain += a;
                rareOfDrafted += b;
            } else {
                chiSquare += (double) (a - b) * (a - b) / (a + b);
                cells++;
            }
        }
        rareOfDrafted += draws - plain.keySet().stream().mapToInt(text -> drafted.getOrDefault(text, 0)).sum();
        if (rareOfPlain + rareOfDrafted > 0) {
            double difference = rareOfPlain - rareOfDrafted;
            chiSquare += difference * difference / (rareOfPlain + rareOfDrafted);
        }
        assertThat(cells).isGreaterThan(8);
        // Wilson and Hilferty 1931: a right sampler fails once in 300,000 times.
        double bound = cells * Math.pow(1 - 2.0 / (9 * cells) + 4.5 * Math.sqrt(2.0 / (9 * cells)), 3);
        assertThat(chiSquare).as("%d cells", cells).isLessThan(bound);
    }

    private static void count(TextGenerator generator, GenerationOptions options, Map<List<Integer>, Integer> counts) {
        int[] ids = generator.generate(PROMPT, options, TokenListener.NONE).ids();
        counts.merge(IntStream.of(ids).boxed().toList(), 1, Integer::sum);
    }

    @Test
    void whatDoesNotGoTogetherIsRefused() throws IOException {
        try (TextGenerator generator = TextGenerator.open(model, null);
                Gpt stranger = load("stranger", TestModels.Shape.ODD, 1)) {
            assertThatIllegalArgumentException().isThrownBy(() -> generator.generate(PROMPT,
                    GREEDY.withDrafting(new DraftModel(stranger, 3)), TokenListener.NONE))
                    .withMessageContaining("101").withMessageContaining("257");
            GenerationOptions drafting = DRAWING.withDrafting(new PromptLookup(3));
            for (GenerationOptions wrong : List.of(drafting.withReturnSequences(2),
                    drafting.withGuidance(new Guidance(2)), drafting.withUseCache(false),
                    drafting.withStrategy(new DecodingStrategy.BeamSearch(2)),
                    drafting.withStrategy(new DecodingStrategy.ContrastiveSearch(4, 0.6)))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> generator.generate(PROMPT, wrong, TokenListener.NONE))
                        .withMessageContaining("drafts");
            }
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new PromptLookup(0));
        assertThatIllegalArgumentException().isThrownBy(() -> new PromptLookup(3, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new DraftModel(model, 0));
    }

    @Test
    void theLastOccurrenceOfTheLongestNgramIsLookedUp() {
        int[] ids = {1, 2, 3, 9, 1, 2, 4, 8, 2, 5, 1, 2};
        int[] guesses = new int[3];
        try (Session session = model.openSession(SessionOptions.defaults());
                Context context = new Context(session.newSequence(), ids, null, 40)) {
            assertThat(new PromptLookupDrafter(2).draft(context, null, guesses, 3)).isEqualTo(3);
            assertThat(guesses).containsExactly(4, 8, 2);
            assertThat(new PromptLookupDrafter(1).draft(context, null, guesses, 2)).isEqualTo(2);
            assertThat(guesses).startsWith(5, 1);
            context.append(77);
            assertThat(new PromptLookupDrafter(2).draft(context, null, guesses, 3)).as("it never was there").isZero();
        }
    }
}
