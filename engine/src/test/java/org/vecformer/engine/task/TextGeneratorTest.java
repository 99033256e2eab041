package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.DecodingLoop;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.Drafting;
import org.vecformer.engine.generation.EarlyStopping;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Guidance;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.Stopping;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.loader.DType;
import org.vecformer.loader.GenerationConfig;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** What a text is continued with and when it ends: against the reference, and by the contract of the generator. */
@Timeout(120)
class TextGeneratorTest {

    private static final int CONTEXT = TestModels.Shape.EVEN.context();
    private static final int VOCABULARY = TestModels.Shape.EVEN.vocabulary();
    private static final int[] PROMPT = {72, 101, 108, 108, 111, 200, 3, 9, 27, 81};
    private static final GenerationOptions GREEDY = GenerationOptions.defaults();
    private static final GenerationOptions SAMPLING = GREEDY
            .withStrategy(DecodingStrategy.random(1)).withSampling(s -> s.temperature(3));

    @TempDir
    private static Path directory;
    private static Engine engine;
    private static Gpt model;
    private static Tokenizer tokenizer;
    private TextGenerator generator;

    @BeforeAll
    static void load() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 11, DType.F32);
        TestModels.writeByteTokenizer(directory);
        tokenizer = Tokenizer.load(directory);
        engine = TestBackends.open(2);
        model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    @AfterAll
    static void close() {
        model.close();
        engine.close();
    }

    @BeforeEach
    void open() {
        generator = TextGenerator.open(model, tokenizer);
    }

    @AfterEach
    void closeGenerator() {
        generator.close();
    }

    // ---- against the reference

    @Tag("width")
    @Test
    void tellsTheStoriesOfTheReference() throws IOException {
        Path folder = Oracle.shared("models/storyteller");
        Tokenizer words = Tokenizer.load(folder);
        int rows = 0;
        try (Gpt storyteller = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                Session session = storyteller.openSession(SessionOptions.defaults());
                TextGenerator stories = TextGenerator.open(storyteller, words)) {
            float[] logits = new float[storyteller.outputs()];
            for (JsonNode row : Oracle.rows(folder.resolve("golden.jsonl"))) {
                int[] prompt = Oracle.ints(row.get("prompt_ids"));
                int[] expected = Oracle.ints(row.get("greedy_ids"));
                StringBuilder streamed = new StringBuilder();
                GenerationResult result = stories.generate(row.get("prompt").asText(),
                        GREEDY.withMaxNewTokens(expected.length), token -> streamed.append(token.text()));
                assertThat(result.promptIds()).isEqualTo(prompt);
                assertThat(result.ids()).isEqualTo(expected);
                assertThat(result.text()).isEqualTo(row.get("greedy_text").asText()).isEqualTo(streamed.toString());

                try (Sequence sequence = session.newSequence()) {
                    session.feed(sequence, prompt, 0, prompt.length);
                    session.logits(0, logits);
                }
                for (JsonNode top : row.get("top5_next")) {
                    assertThat((double) logits[top.get(0).asInt()]).isCloseTo(top.get(1).asDouble(), within(2e-4));
                }
                rows++;
            }
        }
        assertThat(rows).isEqualTo(5);
    }

    // ---- seeds, cache, batches

    @Test
    void theSameSeedGivesTheSameText() {
        GenerationOptions options = SAMPLING.withMaxNewTokens(40).withSampling(s -> s.topK(100).topP(0.95));
        int[] first = generator.generate(PROMPT, options.withSeed(5), TokenListener.NONE).ids();
        assertThat(generator.generate(PROMPT, options.withSeed(5), TokenListener.NONE).ids()).isEqualTo(first);
        assertThat(generator.generate(PROMPT, options.withSeed(6), TokenListener.NONE).ids()).isNotEqualTo(first);
        try (TextGenerator another = TextGenerator.open(model, null)) {
            assertThat(another.generate(PROMPT, options.withSeed(5), TokenListener.NONE).ids()).isEqualTo(first);
        }
    }

    @Test
    void threadsDoNotChangeTheText() throws IOException {
        GenerationOptions options = SAMPLING.withMaxNewTokens(40).withReturnSequences(3);
        List<List<Integer>> expected = ids(generator.generate(PROMPT, options, TokenListener.NONE));
        for (int threads : new int[]{1, 3}) {
            try (Engine another = TestBackends.open(threads);
                    Gpt same = Gpt.load(another, ModelFiles.of(directory), LoadOptions.defaults());
                    TextGenerator own = TextGenerator.open(same, null)) {
                assertThat(ids(own.generate(PROMPT, options, TokenListener.NONE))).isEqualTo(expected);
            }
        }
    }

    @Test
    void withoutASeedTextsDiffer() {
        GenerationOptions options = SAMPLING.withStrategy(DecodingStrategy.random()).withMaxNewTokens(40);
        assertThat(generator.generate(PROMPT, options, TokenListener.NONE).ids())
                .isNotEqualTo(generator.generate(PROMPT, options, TokenListener.NONE).ids());
    }

    @Test
    void neitherCacheNorBatchSizeChangesTheText() {
        for (GenerationOptions options : List.of(GREEDY, SAMPLING)) {
            GenerationOptions some = options.withMaxNewTokens(50);
            int[] cached = generator.generate(PROMPT, some, TokenListener.NONE).ids();
            assertThat(cached).hasSize(50);
            assertThat(generator.generate(PROMPT, some.withUseCache(false), TokenListener.NONE).ids())
                    .isEqualTo(cached);
            for (int rows : new int[]{1, 3, 7}) {
                try (TextGenerator narrow = TextGenerator.open(model, null,
                        SessionOptions.defaults().withMaxBatchTokens(rows))) {
                    assertThat(narrow.generate(PROMPT, some, TokenListener.NONE).ids()).isEqualTo(cached);
                    assertThat(narrow.generate(PROMPT, some.withUseCache(false), TokenListener.NONE).ids())
                            .isEqualTo(cached);
                }
            }
        }
    }

    /** Of different lengths, and each of them ends at another time. */
    @Test
    void textsInOneBatchAreTheTextsAlone() {
        List<int[]> prompts = List.of(PROMPT, new int[]{5}, new int[]{99, 98, 97, 96});
        int[] some = generator.generate(PROMPT, SAMPLING.withMaxNewTokens(40), TokenListener.NONE).ids();
        for (GenerationOptions options : List.of(GREEDY, SAMPLING, SAMPLING.withReturnSequences(3),
                SAMPLING.withGuidance(new Guidance(1.5)).withReturnSequences(2))) {
            GenerationOptions bounded = options.withMaxNewTokens(40).withEndTokens(some[25]);
            List<GenerationResult> together = generator.generateAll(prompts, bounded, TokenListener.NONE);
            for (int rows : new int[]{2, 128}) {
                try (TextGenerator narrow = TextGenerator.open(model, null,
                        SessionOptions.defaults().withMaxBatchTokens(rows))) {
                    for (int i = 0; i < prompts.size(); i++) {
                        GenerationResult alone = narrow.generate(prompts.get(i), bounded, TokenListener.NONE);
                        assertThat(ids(together.get(i))).isEqualTo(ids(alone));
                    }
                }
            }
        }
    }

    private static List<List<Integer>> ids(GenerationResult result) {
        return result.sequences().stream().map(sequence -> IntStream.of(sequence.ids()).boxed().toList()).toList();
    }

    @Test
    void eachSequenceHasARandomStreamOfItsOwn() {
        GenerationOptions options = SAMPLING.withMaxNewTokens(30).withSeed(5);
        GenerationResult three = generator.generate(PROMPT, options.withReturnSequences(3), TokenListener.NONE);
        assertThat(ids(three)).doesNotHaveDuplicates();
        for (int i = 0; i < 3; i++) {
            long seed = GenerationOptions.seedOf(5, i);
            assertThat(generator.generate(PROMPT, options.withSeed(seed), TokenListener.NONE).ids())
                    .isEqualTo(three.sequences().get(i).ids());
        }
        GenerationResult five = generator.generate(PROMPT, options.withReturnSequences(5), TokenListener.NONE);
        assertThat(ids(five).subList(0, 3)).isEqualTo(ids(three));
    }

    // ---- ends

    @Test
    void endsAtAnEndToken() {
        int[] all = generator.generate(PROMPT, SAMPLING.withMaxNewTokens(40), TokenListener.NONE).ids();
        int end = all[11];
        int first = IntStream.range(0, all.length).filter(i -> all[i] == end).findFirst().orElseThrow();
        List<Integer> heard = new ArrayList<>();
        GenerationResult result = generator.generate(PROMPT, SAMPLING.withMaxNewTokens(40).withEndTokens(end),
                token -> heard.add(token.id()));
        assertThat(result.finishReason()).isEqualTo(FinishReason.EOS);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(all, first + 1));
        assertThat(heard).hasSize(first + 1).endsWith(end);
        assertThat(result.text()).as("the end token is not shown")
                .isEqualTo(tokenizer.decode(Arrays.copyOf(all, first), true));
        assertThat(result.timing().generatedTokens()).isEqualTo(first + 1);
    }

    @Test
    void endsAtTheFirstOfSeveralEndTokens() {
        int[] all = generator.generate(PROMPT, SAMPLING.withMaxNewTokens(40), TokenListener.NONE).ids();
        Set<Integer> ends = Set.of(all[30], all[7], all[19]);
        int first = IntStream.range(0, all.length).filter(i -> ends.contains(all[i])).findFirst().orElseThrow();
        GenerationResult result = generator.generate(PROMPT,
                SAMPLING.withMaxNewTokens(40).withEndTokens(all[30], all[7], all[19]), TokenListener.NONE);
        assertThat(result.finishReason()).isEqualTo(FinishReason.EOS);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(all, first + 1));
    }

    @Test
    void endsExactlyAtTheContextLength() {
        for (boolean cached : new boolean[]{true, false}) {
            GenerationResult result = generator.generate(PROMPT, GREEDY.withUseCache(cached), TokenListener.NONE);
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(result.ids()).hasSize(CONTEXT - PROMPT.length);
        }
        assertThat(generator.generate(PROMPT, GREEDY.withMaxNewTokens(10_000), TokenListener.NONE).ids())
                .hasSize(CONTEXT - PROMPT.length);
    }

    @Test
    void endsAtTheShorterOfBothLengths() {
        GenerationOptions both = GREEDY.withMaxNewTokens(7).withMaxLength(20);
        assertThat(generator.generate(PROMPT, both, TokenListener.NONE).ids()).hasSize(7);
        assertThat(generator.generate(PROMPT, both.withMaxLength(13), TokenListener.NONE).ids()).hasSize(3);
        for (GenerationOptions none : List.of(GREEDY.withMaxNewTokens(0), GREEDY.withMaxLength(PROMPT.length),
                GREEDY.withMaxLength(1))) {
            GenerationResult result = generator.generate(PROMPT, none, _ -> {
                throw new AssertionError("nothing was to be written");
            });
            assertThat(result.ids()).isEmpty();
            assertThat(result.text()).isEmpty();
            assertThat(result.promptIds()).isEqualTo(PROMPT);
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void aPromptThatFillsTheContextIsRefusedOrTruncated() {
        int[] longPrompt = IntStream.range(0, CONTEXT + 50).map(i -> i * 7 % VOCABULARY).toArray();
        int[] full = Arrays.copyOf(longPrompt, CONTEXT);
        int[] almost = Arrays.copyOf(longPrompt, CONTEXT - 1);
        assertThat(generator.generate(almost, GREEDY, TokenListener.NONE).ids()).hasSize(1);
        assertThatExceptionOfType(PromptTooLongException.class)
                .isThrownBy(() -> generator.generate(full, GREEDY, TokenListener.NONE))
                .withMessageContaining("96 tokens").withMessageContaining("context length is 96")
                .withMessageContaining("95 fit");
        assertThatExceptionOfType(PromptTooLongException.class)
                .isThrownBy(() -> generator.generate(longPrompt, GREEDY.withMaxNewTokens(5), TokenListener.NONE));
        assertThat(generator.generate(full, GREEDY.withMaxNewTokens(0), TokenListener.NONE).ids()).isEmpty();

        GenerationResult result = generator.generate(longPrompt, GREEDY.withTruncatePrompt(true).withMaxNewTokens(5),
                TokenListener.NONE);
        int[] tail = Arrays.copyOfRange(longPrompt, longPrompt.length - (CONTEXT - 5), longPrompt.length);
        assertThat(result.promptIds()).isEqualTo(tail);
        assertThat(result.ids())
                .isEqualTo(generator.generate(tail, GREEDY.withMaxNewTokens(5), TokenListener.NONE).ids()).hasSize(5);
        assertThat(generator.generate(almost, GREEDY.withTruncatePrompt(true), TokenListener.NONE).promptIds())
                .as("what fits is not truncated").isEqualTo(almost);
        GenerationResult unbounded = generator.generate(longPrompt, GREEDY.withTruncatePrompt(true),
                TokenListener.NONE);
        assertThat(unbounded.promptIds()).isNotEmpty();
        assertThat(longPrompt).endsWith(unbounded.promptIds());
        assertThat(unbounded.ids()).isNotEmpty();
        assertThat(unbounded.promptIds().length + unbounded.ids().length).isEqualTo(CONTEXT);
    }

    @Test
    void aCacheThatIsTooSmallIsSaidToBe() {
        try (TextGenerator small = TextGenerator.open(model, null, SessionOptions.defaults().withCacheTokens(32))) {
            assertThatExceptionOfType(CacheFullException.class)
                    .isThrownBy(() -> small.generate(PROMPT, GREEDY, TokenListener.NONE));
            assertThat(small.generate(PROMPT, GREEDY.withMaxNewTokens(22), TokenListener.NONE).ids()).hasSize(22);
        }
    }

    @Test
    void badPromptsAreRefused() {
        for (GenerationOptions options : List.of(GREEDY, GREEDY.withMaxNewTokens(0))) {
            for (int bad : new int[]{-1, VOCABULARY, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> generator.generate(new int[]{1, bad, 2}, options, TokenListener.NONE))
                        .withMessageContaining("token id " + bad).withMessageContaining("0 to 256");
            }
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> generator.generate(new int[0], options, TokenListener.NONE))
                    .withMessageContaining("no tokens");
        }
        assertThat(generator.generate(PROMPT, GREEDY.withMaxNewTokens(3), TokenListener.NONE).ids()).hasSize(3);
    }

    // ---- cancellation and listeners

    @Test
    void aListenerCancels() {
        int[] all = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        AtomicInteger heard = new AtomicInteger();
        GenerationResult result = generator.generate(PROMPT, GREEDY, _ -> {
            if (heard.incrementAndGet() == 5) {
                generator.cancel();
            }
        });
        assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(all, 5));
        assertThat(heard).hasValue(5);
        assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).as("the next one is not cancelled")
                .isEqualTo(all);
    }

    @Test
    void anotherThreadCancelsWhileTokensAreWritten() {
        AtomicInteger heard = new AtomicInteger();
        GenerationResult result = generator.generate(PROMPT, GREEDY, _ -> {
            if (heard.incrementAndGet() == 3) {
                join(Thread.ofPlatform().start(generator::cancel));
            }
        });
        assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.ids()).hasSize(3);
    }

    @Test
    void anotherThreadCancelsWhileThePromptIsRead() throws InterruptedException {
        int[] longPrompt = IntStream.range(0, 90).map(i -> i * 7 % VOCABULARY).toArray();
        try (TextGenerator narrow = TextGenerator.open(model, null, SessionOptions.defaults().withMaxBatchTokens(1))) {
            AtomicBoolean done = new AtomicBoolean();
            CountDownLatch firstToken = new CountDownLatch(1);
            CountDownLatch cancelledAfterIt = new CountDownLatch(1);
            Thread canceller = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    boolean late = firstToken.getCount() == 0;
                    narrow.cancel();
                    if (late) {
                        cancelledAfterIt.countDown();
                    }
                    Thread.onSpinWait();
                }
            });
            // Should the other thread not get to run during the whole prompt, the first token waits for it.
            GenerationResult result = narrow.generate(longPrompt, GREEDY, _ -> {
                firstToken.countDown();
                try {
                    cancelledAfterIt.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            done.set(true);
            canceller.join();
            assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(result.ids()).hasSizeLessThanOrEqualTo(1);
        }
    }

    @Test
    void aPromptOfSeveralBatchesIsCancelledBetweenThem() {
        int[] prompt = IntStream.range(0, 80).map(i -> i * 7 % VOCABULARY).toArray();
        try (Session session = model.openSession(SessionOptions.defaults().withMaxBatchTokens(10))) {
            DecodingLoop loop = new DecodingLoop(session, null);
            GenerationResult result = loop.run(List.of(prompt), GREEDY.withMaxNewTokens(10), 0, _ -> {
                throw new AssertionError("no token is to be written");
            }, () -> session.steps() >= 4 ? FinishReason.CANCELLED : null).get(0);
            assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(result.ids()).isEmpty();
            assertThat(session.steps()).as("of 8").isEqualTo(4);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatAListenerThrowsReachesTheCaller() {
        int[] all = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        // Often enough to use up the cache if its memory were not given back.
        for (int i = 0; i < 20; i++) {
            RuntimeException mine = new IllegalStateException("listener");
            AtomicInteger heard = new AtomicInteger();
            assertThatThrownBy(() -> generator.generate(PROMPT, GREEDY, _ -> {
                if (heard.incrementAndGet() == 30) {
                    throw mine;
                }
            })).isSameAs(mine);
            assertThat(heard).hasValue(30);
        }
        assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).isEqualTo(all);
    }

    // ---- text

    @Test
    void piecesAreTheText() {
        int splitCharacters = 0;
        for (int seed = 0; seed < 30; seed++) {
            List<String> pieces = new ArrayList<>();
            List<Integer> ids = new ArrayList<>();
            // The tokens are bytes: mostly invalid UTF-8, with some characters of two bytes among it.
            GenerationResult result = generator.generate("prompt",
                    SAMPLING.withSampling(s -> s.temperature(8)).withSeed(seed),
                    new TokenListener() {
                        @Override
                        public void token(GeneratedToken token) {
                            ids.add(token.id());
                            pieces.add(token.text());
                        }

                        @Override
                        public void finished(TextEnd end) {
                            pieces.add(end.text());
                        }
                    });
            assertThat(ids.stream().mapToInt(i -> i).toArray()).isEqualTo(result.ids());
            assertThat(result.text()).isEqualTo(tokenizer.decode(result.ids(), true));
            assertThat(String.join("", pieces)).isEqualTo(result.text());
            for (int i = 1; i < pieces.size(); i++) {
                boolean whole = pieces.get(i).codePoints().anyMatch(c -> c >= 0x80 && c != 0xFFFD);
                splitCharacters += whole && pieces.get(i - 1).isEmpty() ? 1 : 0;
            }
        }
        assertThat(splitCharacters).as("characters that came in several tokens").isGreaterThan(5);
    }

    @Test
    void withoutATokenizerThereAreOnlyIds() {
        try (TextGenerator ids = TextGenerator.open(model, null)) {
            List<String> pieces = new ArrayList<>();
            GenerationResult result = ids.generate(PROMPT, GREEDY.withMaxNewTokens(4),
                    token -> pieces.add(token.text()));
            assertThat(result.ids())
                    .isEqualTo(generator.generate(PROMPT, GREEDY.withMaxNewTokens(4), TokenListener.NONE).ids());
            assertThat(result.text()).isEmpty();
            assertThat(pieces).containsExactly("", "", "", "");
            assertThatIllegalStateException().isThrownBy(() -> ids.generate("text", GREEDY, TokenListener.NONE))
                    .withMessageContaining("no tokenizer");
        }
    }

    @Test
    void anEmptyPromptBeginsWithTheBeginToken() {
        GenerationResult result = generator.generate("", GREEDY.withMaxNewTokens(5), TokenListener.NONE);
        assertThat(result.promptIds()).containsExactly(0);
        assertThat(result.ids())
                .isEqualTo(generator.generate(new int[]{0}, GREEDY.withMaxNewTokens(5), TokenListener.NONE).ids());
    }

    @Test
    void anEmptyPromptWithoutABeginTokenIsRefused(@TempDir Path other) throws IOException {
        TestModels.write(other, TestModels.Shape.EVEN, 11, DType.F32);
        Path config = other.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"bos_token_id\": 0", "\"bos_token_id\": null"));
        try (Gpt beginless = Gpt.load(engine, ModelFiles.of(other), LoadOptions.defaults());
                TextGenerator texts = TextGenerator.open(beginless, tokenizer)) {
            assertThatIllegalArgumentException().isThrownBy(() -> texts.generate("", GREEDY, TokenListener.NONE))
                    .withMessageContaining("bos_token_id");
        }
    }

    // ---- life

    @Test
    void generatorsShareAModel() throws InterruptedException {
        int[] expected = generator.generate(PROMPT, SAMPLING, TokenListener.NONE).ids();
        List<int[]> got = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                try (TextGenerator own = TextGenerator.open(model, null)) {
                    for (int n = 0; n < 3; n++) {
                        got.add(own.generate(PROMPT, SAMPLING, TokenListener.NONE).ids());
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(got).hasSize(12).allSatisfy(ids -> assertThat(ids).isEqualTo(expected));
    }

    @Test
    void aClosedGeneratorSaysSo() {
        TextGenerator closed = TextGenerator.open(model, tokenizer);
        closed.close();
        closed.close();
        assertThatIllegalStateException().isThrownBy(() -> closed.generate(PROMPT, GREEDY, TokenListener.NONE))
                .withMessageContaining("closed");
        closed.cancel();
    }

    @Test
    void aModelBringsItsRecommendations(@TempDir Path other) throws IOException {
        TestModels.write(other, TestModels.Shape.EVEN, 11, DType.F32);
        TestModels.writeByteTokenizer(other);
        try (Gpt silent = Gpt.load(engine, other)) {
            GenerationOptions options = GenerationOptions.of(silent);
            assertThat(options.strategy()).isEqualTo(DecodingStrategy.greedy());
            assertThat(options.stopping()).isEqualTo(Stopping.whenFull().withEndTokens(List.of(0)));
        }
        Files.writeString(other.resolve("generation_config.json"),
                "{\"do_sample\": true, \"max_new_tokens\": 3, \"eos_token_id\": 256}");
        try (Gpt recommending = Gpt.load(engine, other);
                TextGenerator texts = TextGenerator.open(recommending)) {
            GenerationOptions options = GenerationOptions.of(recommending);
            assertThat(options.strategy()).isEqualTo(DecodingStrategy.random());
            assertThat(options.stopping().endTokens()).containsExactly(256);
            assertThat(texts.generate("with the model's own tokenizer", options, TokenListener.NONE).ids())
                    .hasSizeBetween(1, 3);
        }
    }

    @Test
    void recommendationsAreTakenOver() throws IOException {
        Path file = directory.resolve("some_generation_config.json");
        Files.writeString(file, """
                {"do_sample": true, "temperature": 0.8, "top_k": 40, "top_p": 0.9, "max_new_tokens": 12,
                 "eos_token_id": [3, 4]}
                """);
        GenerationOptions options = GenerationOptions.recommended(GenerationConfig.read(file), List.of(9));
        assertThat(options.strategy()).isEqualTo(DecodingStrategy.random());
        assertThat(options.stopping())
                .isEqualTo(Stopping.whenFull().withMaxNewTokens(12).withEndTokens(List.of(3, 4)));
        assertThat(options.sampling().has(SamplerKind.TOP_K)).isTrue();
        Files.writeString(file, """
                {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5, "length_penalty": 2.0,
                 "early_stopping": "never", "num_return_sequences": 3, "guidance_scale": 1.5, "max_time": 2.5,
                 "stop_strings": ["x"], "min_p": 0.1, "top_h": 0.5, "typical_p": 0.9, "epsilon_cutoff": 0.01,
                 "eta_cutoff": 0.01, "repetition_penalty": 1.2, "encoder_repetition_penalty": 1.2,
                 "no_repeat_ngram_size": 2, "encoder_no_repeat_ngram_size": 3, "min_length": 4, "min_new_tokens": 5,
                 "bad_words_ids": [[1]], "sequence_bias": [[[1], 2.0]], "suppress_tokens": [3],
                 "begin_suppress_tokens": [4], "forced_bos_token_id": 5, "forced_eos_token_id": 6,
                 "exponential_decay_length_penalty": [3, 1.1], "remove_invalid_values": true,
                 "renormalize_logits": true, "temperature": 0.5, "top_p": 0.5}
                """);
        GenerationOptions beams = GenerationOptions.recommended(GenerationConfig.read(file), List.of(9));
        assertThat(beams.strategy()).isEqualTo(new DecodingStrategy.BeamSearch(4).withGroups(2, 0.5)
                .withLengthPenalty(2).withEarlyStopping(EarlyStopping.WHEN_IMPOSSIBLE));
        assertThat(beams.returnSequences()).isEqualTo(3);
        assertThat(beams.guidance()).map(Guidance::scale).contains(1.5);
        assertThat(beams.stopping().maxTime()).contains(Duration.ofMillis(2500));
        assertThat(beams.stopping().stopTexts()).containsExactly("x");
        assertThat(EnumSet.allOf(SamplerKind.class)).filteredOn(kind -> !beams.sampling().has(kind))
                .containsExactlyInAnyOrder(SamplerKind.PRESENCE_FREQUENCY_PENALTY, SamplerKind.DRY,
                        SamplerKind.CONSTRAINT, SamplerKind.TOP_N_SIGMA, SamplerKind.XTC);
        Files.writeString(file, "{\"penalty_alpha\": 0.6, \"top_k\": 4}");
        assertThat(GenerationOptions.recommended(GenerationConfig.read(file), List.of()).strategy())
                .isEqualTo(new DecodingStrategy.ContrastiveSearch(4, 0.6));
        Files.writeString(file, "{\"prompt_lookup_num_tokens\": 3, \"max_matching_ngram_size\": 4}");
        assertThat(GenerationOptions.recommended(GenerationConfig.read(file), List.of()).drafting())
                .contains(new Drafting.PromptLookup(3, 4));
        GenerationOptions silent = GenerationOptions.recommended(GenerationConfig.EMPTY, List.of(9));
        assertThat(silent.strategy()).isEqualTo(DecodingStrategy.greedy());
        assertThat(silent.stopping().endTokens()).containsExactly(9);
    }
}
