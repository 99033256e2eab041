package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.generation.DecodingStrategy.BeamSearch;
import org.vecformer.engine.generation.DecodingStrategy.ContrastiveSearch;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.TextGenerator;

/** From one generation to the next: what is written does not change, and what is known is not computed again. */
class PromptCacheTest extends ByteModelFixture {

    private static final int CONTEXT = 96;
    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(10);
    private static final Supplier<FinishReason> NEVER = () -> null;

    /** One row in each step, so that steps count rows. */
    private Session session;
    private DecodingLoop loop;

    @BeforeEach
    void openSession() {
        session = model.openSession(SessionOptions.defaults().withMaxBatchTokens(1));
        loop = new DecodingLoop(session, tokenizer);
    }

    @AfterEach
    void closeSession() {
        session.close();
    }

    // ---- the same text, from less work

    /** Texts that grow, diverge, shrink and start anew, with and without types, and ends of all kinds. */
    @Tag("width")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void conversationsHaveTheSameBits(long seed) {
        Random random = new Random(seed);
        int[] known = {};
        int[] knownTypes = null;
        int reusedInAll = 0;
        int[] ends = new int[4];
        try (Session plainSession = model.openSession(SessionOptions.defaults());
                PromptCache cache = new PromptCache(session)) {
            DecodingLoop plain = new DecodingLoop(plainSession, tokenizer);
            for (int round = 0; round < 60; round++) {
                int[] prompt = next(random, known);
                int[] types = nextTypes(random, knownTypes, prompt.length);
                int generated = random.nextInt(3);
                GenerationOptions options = options(random);
                if (types != null) {
                    options = options.withTokenTypes(new TokenTypes(types, generated));
                }
                int[] all = plain.run(List.of(prompt), options, 0, TokenListener.NONE, NEVER).getFirst().ids();
                if (all.length > 0 && random.nextInt(3) == 0) {
                    options = options.withEndTokens(all[random.nextInt(all.length)]);
                }
                GenerationResult expected = plain.run(List.of(prompt), options, 0, TokenListener.NONE, NEVER)
                        .getFirst();

                int common = common(prompt, types, known, knownTypes);
                long before = session.steps();
                int most = expected.ids().length;
                int stop = most == 0 ? 0 : 1 + random.nextInt(most);
                int end = random.nextInt(4);
                // How many tokens were written.
                int written = switch (end) {
                    case 0 -> cancelled(options.withPromptCache(cache), prompt, expected, stop);
                    case 1 -> failed(options.withPromptCache(cache), prompt, stop);
                    default -> {
                        GenerationResult result = loop.run(List.of(prompt), options.withPromptCache(cache), 0,
                                TokenListener.NONE, NEVER).getFirst();
                        assertSame(result, expected);
                        yield most;
                    }
                };
                ends[end]++;
                assertThat(cache.reused()).isEqualTo(common);
                // The last token that was written has not been read.
                int seen = most == 0 ? common : prompt.length + written - 1;
                assertThat(session.steps() - before).as("rows that were computed").isEqualTo(seen - common);
                known = Arrays.copyOf(ModelFromScratch.concat(prompt, Arrays.copyOf(expected.ids(), written)), seen);
                knownTypes = types == null
                        ? null
                        : new TokenTypes(types, generated).upTo(Math.max(seen, types.length));
                assertThat(cache.positions()).isEqualTo(Math.ceilDiv(seen, 32) * 32L);
                reusedInAll += common;
            }
        }
        assertThat(reusedInAll).isGreaterThan(500);
        assertThat(ends).doesNotContain(0);
        assertAllIsFree();
    }

    private int cancelled(GenerationOptions options, int[] prompt, GenerationResult expected, int tokens) {
        int[] heard = {0};
        GenerationResult result = loop.run(List.of(prompt), options, 0, _ -> heard[0]++,
                () -> tokens > 0 && heard[0] == tokens ? FinishReason.CANCELLED : null).getFirst();
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(expected.ids(), tokens));
        return tokens;
    }

    private int failed(GenerationOptions options, int[] prompt, int tokens) {
        int[] heard = {0};
        if (tokens > 0) {
            assertThatThrownBy(() -> loop.run(List.of(prompt), options, 0, _ -> {
                if (++heard[0] == tokens) {
                    throw new IllegalStateException("enough");
                }
            }, NEVER)).hasMessage("enough");
        } else {
            loop.run(List.of(prompt), options, 0, TokenListener.NONE, NEVER);
        }
        return tokens;
    }

    private static int[] next(Random random, int[] known) {
        int kept = switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> random.nextInt(known.length + 1);
            default -> known.length;
        };
        int[] more = random.ints(random.nextInt(12), 0, 257).toArray();
        int[] prompt = ModelFromScratch.concat(Arrays.copyOf(known, kept), more);
        if (prompt.length == 0) {
            return new int[]{5};
        }
        return prompt.length < CONTEXT ? prompt : Arrays.copyOf(prompt, 1 + random.nextInt(CONTEXT - 1));
    }

    private static int[] nextTypes(Random random, int[] known, int length) {
        if (random.nextInt(10) == 0) {
            return known == null ? new int[length] : null;
        }
        if (known == null) {
            return null;
        }
        int[] types = Arrays.copyOf(known, length);
        if (random.nextInt(4) == 0) {
            types[random.nextInt(length)] = 3;
        }
        return types;
    }

    private static GenerationOptions options(Random random) {
        GenerationOptions options = GREEDY.withMaxNewTokens(random.nextInt(8)).withLogprobs(1);
        return random.nextBoolean()
                ? options
                : options.withSeed(random.nextLong()).withSampling(s -> s.temperature(2).repetitionPenalty(1.1));
    }

    private static int common(int[] prompt, int[] types, int[] known, int[] knownTypes) {
        if ((types == null) != (knownTypes == null)) {
            return 0;
        }
        int most = Math.min(known.length, prompt.length - 1);
        return IntStream.range(0, most)
                .filter(i -> prompt[i] != known[i] || types != null && types[i] != knownTypes[i]).findFirst()
                .orElse(most);
    }

    private static void assertSame(GenerationResult result, GenerationResult expected) {
        assertThat(result.ids()).isEqualTo(expected.ids());
        assertThat(result.text()).isEqualTo(expected.text());
        assertThat(result.finishReason()).isEqualTo(expected.finishReason());
        assertThat(result.sequences().getFirst().logprobs()).as("bit by bit")
                .isEqualTo(expected.sequences().getFirst().logprobs());
    }

    @Tag("device")
    @Test
    void aTurnReadsOnlyWhatIsNew() {
        try (PromptCache cache = new PromptCache(session)) {
            GenerationOptions options = GREEDY.withPromptCache(cache);
            int[] first = generate(PROMPT, options).ids();
            assertThat(cache.reused()).isZero();
            assertThat(session.steps()).isEqualTo(6 + 9);

            int[] second = ModelFromScratch.concat(ModelFromScratch.concat(PROMPT, first), 7, 8, 9);
            long before = session.steps();
            generate(second, options.withMaxNewTokens(1));
            assertThat(cache.reused()).isEqualTo(6 + 9);
            assertThat(session.steps() - before).as("the last token and the new ones").isEqualTo(1 + 3);

            before = session.steps();
            generate(second, options.withMaxNewTokens(1));
            assertThat(cache.reused()).as("all but the last, whose logits are needed").isEqualTo(18);
            assertThat(session.steps() - before).isEqualTo(1);

            cache.clear();
            assertThat(cache.positions()).isZero();
            generate(second, options.withMaxNewTokens(1));
            assertThat(cache.reused()).isZero();
        }
    }

    @Test
    void withoutACacheNothingIsReused() {
        try (PromptCache cache = new PromptCache(session)) {
            int[] expected = generate(PROMPT, GREEDY).ids();
            for (int i = 0; i < 2; i++) {
                assertThat(generate(PROMPT, GREEDY.withPromptCache(cache).withUseCache(false)).ids())
                        .isEqualTo(expected);
                assertThat(cache.reused()).isZero();
            }
        }
    }

    @Test
    void ofSeveralSequencesTheFirstIsKept() {
        GenerationOptions three = GREEDY.withSeed(4).withSampling(s -> s.temperature(3)).withReturnSequences(3);
        try (Session wide = model.openSession(SessionOptions.defaults().withCacheTokens(300));
                PromptCache cache = new PromptCache(wide)) {
            DecodingLoop several = new DecodingLoop(wide, null);
            List<GeneratedSequence> expected = several.run(List.of(PROMPT), three, 0, TokenListener.NONE, NEVER)
                    .getFirst().sequences();
            for (int i = 0; i < 2; i++) {
                List<GeneratedSequence> sequences = several.run(List.of(PROMPT), three.withPromptCache(cache), 0,
                        TokenListener.NONE, NEVER).getFirst().sequences();
                assertThat(sequences).usingRecursiveComparison().isEqualTo(expected);
                assertThat(cache.reused()).isEqualTo(5 * i);
            }
            several.run(List.of(ModelFromScratch.concat(PROMPT, expected.getFirst().ids())),
                    three.withPromptCache(cache), 0, TokenListener.NONE, NEVER);
            assertThat(cache.reused()).isEqualTo(6 + 9);
        }
    }

    /** The negative prompt is read anew each time. */
    @Test
    void guidanceGoesWithIt() {
        GenerationOptions guided = GREEDY.withGuidance(new Guidance(1.5, new int[]{3, 1, 4}));
        try (PromptCache cache = generator.openPromptCache()) {
            int[] expected = generator.generate(PROMPT, guided, TokenListener.NONE).ids();
            for (int i = 0; i < 2; i++) {
                assertThat(generator.generate(PROMPT, guided.withPromptCache(cache), TokenListener.NONE).ids())
                        .isEqualTo(expected);
                assertThat(cache.reused()).isEqualTo(5 * i);
            }
        }
    }

    // ---- memory

    @Test
    void whatDoesNotFitIsSaidBeforeTheWorkBegins() {
        try (PromptCache one = new PromptCache(session); PromptCache other = new PromptCache(session)) {
            generate(PROMPT, GREEDY.withMaxNewTokens(40).withPromptCache(one));
            long before = session.steps();
            assertThatExceptionOfType(CacheFullException.class)
                    .isThrownBy(() -> generate(PROMPT, GREEDY.withMaxNewTokens(40).withPromptCache(other)))
                    .withMessageContaining("32 of them free");
            assertThat(session.steps()).isEqualTo(before);
            generate(PROMPT, GREEDY.withMaxNewTokens(20).withPromptCache(other));
            assertThat(other.reused()).isZero();
            generate(PROMPT, GREEDY.withPromptCache(one));
            assertThat(one.reused()).isEqualTo(5);
        }
        assertAllIsFree();
    }

    @Test
    void whatWasNotWrittenIsGivenBack() {
        try (PromptCache cache = new PromptCache(session); Sequence rest = session.newSequence()) {
            int end = generate(PROMPT, GREEDY).ids()[2];
            generate(PROMPT, GREEDY.withMaxNewTokens(90).withEndTokens(end).withPromptCache(cache));
            assertThat(cache.positions()).isEqualTo(32);
            session.reserve(rest, CONTEXT - 32);
        }
        assertAllIsFree();
    }

    private void assertAllIsFree() {
        try (Sequence all = session.newSequence()) {
            session.reserve(all, CONTEXT);
        }
    }

    // ---- what is refused

    @Test
    void whatDoesNotGoTogetherIsRefused() {
        PromptCache cache = new PromptCache(session);
        GenerationOptions options = GREEDY.withPromptCache(cache);
        for (GenerationOptions bad : List.of(options.withStrategy(new BeamSearch(2)),
                options.withStrategy(new ContrastiveSearch(4, 0.6)),
                options.withDrafting(new Drafting.PromptLookup(3)))) {
            assertThatIllegalArgumentException().isThrownBy(() -> generate(PROMPT, bad))
                    .withMessageContaining("a prompt cache is for greedy search and random sampling without drafts");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loop.run(List.of(PROMPT, PROMPT), options, 0, TokenListener.NONE, NEVER))
                .withMessageContaining("one prompt, and there are 2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> generator.generate(PROMPT, options, TokenListener.NONE))
                .withMessageContaining("belongs to another session");
        assertThat(generate(PROMPT, options).ids()).hasSize(10);
        cache.close();
        cache.close();
        assertThatIllegalStateException().isThrownBy(() -> generate(PROMPT, options)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(cache::clear).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> cache.moveTo(session)).withMessageContaining("closed");
        assertAllIsFree();
    }

    @Test
    void aCacheInUseIsNotUsedTwice() {
        try (PromptCache cache = new PromptCache(session)) {
            GenerationOptions options = GREEDY.withPromptCache(cache);
            DecodingLoop second = new DecodingLoop(session, null);
            int[] asked = {0};
            int[] ids = loop.run(List.of(PROMPT), options, 0, _ -> {
                asked[0]++;
                for (Runnable use : List.<Runnable>of(cache::clear, cache::close, () -> cache.moveTo(session),
                        () -> second.run(List.of(PROMPT), options, 0, TokenListener.NONE, NEVER))) {
                    assertThatIllegalStateException().isThrownBy(use::run).withMessageContaining("in use");
                }
            }, NEVER).getFirst().ids();
            assertThat(asked[0]).isEqualTo(10);
            assertThat(generate(PROMPT, GREEDY).ids()).isEqualTo(ids);
        }
        assertAllIsFree();
    }

    private GenerationResult generate(int[] prompt, GenerationOptions options) {
        return loop.run(List.of(prompt), options, 0, TokenListener.NONE, NEVER).getFirst();
    }

    // ---- of a text generator

    @Test
    void aTextGeneratorHasSeveral() {
        int[] longPrompt = new Random(1).ints(60, 0, 257).toArray();
        int[] expected = said(generator, longPrompt, null);
        int[] expectedOfOne = said(generator, PROMPT, null);
        PromptCache one = generator.openPromptCache();
        PromptCache other = generator.openPromptCache();
        assertThat(said(generator, PROMPT, one)).isEqualTo(expectedOfOne);
        assertThat(said(generator, PROMPT, one)).isEqualTo(expectedOfOne);
        assertThat(one.reused()).isEqualTo(5);
        // 32 and 96 positions: a larger session takes the place of the first, and what they held is gone, once.
        assertThat(said(generator, longPrompt, other)).isEqualTo(expected);
        for (int i = 0; i < 3; i++) {
            assertThat(said(generator, PROMPT, one)).isEqualTo(expectedOfOne);
            assertThat(one.reused()).isEqualTo(i == 0 ? 0 : 5);
            assertThat(said(generator, longPrompt, other)).isEqualTo(expected);
            assertThat(other.reused()).isEqualTo(59);
        }
        // Beams take more; both caches can be used as before.
        generator.generate(PROMPT, GREEDY.withStrategy(new BeamSearch(20)), TokenListener.NONE);
        assertThat(said(generator, longPrompt, other)).isEqualTo(expected);
        assertThat(other.reused()).isZero();
        generator.close();
        assertThat(one.isClosed()).isTrue();
        assertThat(other.isClosed()).isTrue();
    }

    @Test
    void inABoundedTextGeneratorTheyMakeRoom() {
        try (TextGenerator bounded = TextGenerator.open(model, null, SessionOptions.defaults().withCacheTokens(96))) {
            PromptCache one = bounded.openPromptCache();
            PromptCache other = bounded.openPromptCache();
            int[] longPrompt = new Random(1).ints(60, 0, 257).toArray();
            said(bounded, PROMPT, one);
            said(bounded, PROMPT, one);
            assertThat(one.reused()).isEqualTo(5);
            said(bounded, longPrompt, other);
            assertThat(one.positions()).as("given up").isZero();
            assertThat(other.positions()).isEqualTo(96);
            said(bounded, PROMPT, null);
            assertThat(other.positions()).as("given up").isZero();
            assertThatExceptionOfType(CacheFullException.class)
                    .isThrownBy(() -> bounded.generate(PROMPT, GREEDY.withSeed(1).withReturnSequences(4),
                            TokenListener.NONE));
        }
    }

    /** Of a prompt that is too long the end counts. */
    @Test
    void aTruncatedPromptIsWhatIsReused() {
        int[] longPrompt = new Random(2).ints(150, 0, 257).toArray();
        GenerationOptions options = GREEDY.withTruncatePrompt(true);
        try (PromptCache cache = generator.openPromptCache()) {
            int[] expected = generator.generate(longPrompt, options, TokenListener.NONE).ids();
            for (int i = 0; i < 2; i++) {
                assertThat(generator.generate(longPrompt, options.withPromptCache(cache), TokenListener.NONE).ids())
                        .isEqualTo(expected);
                assertThat(cache.reused()).isEqualTo(85 * i);
            }
        }
    }

    private static int[] said(TextGenerator generator, int[] prompt, PromptCache cache) {
        return generator.generate(prompt, cache == null ? GREEDY : GREEDY.withPromptCache(cache), TokenListener.NONE)
                .ids();
    }
}
