package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.InterceptedEngine;
import org.vecformer.engine.MemoryUse;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.RemoteLogits;
import org.vecformer.engine.constraint.Constraint;
import org.vecformer.engine.constraint.Vocabulary;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.loader.ModelFiles;

/** Texts of many threads in one session: the same as alone, in a fair order, within bounds, each on its own. */
@Timeout(120)
class SchedulerTest extends ByteModelFixture {

    private static final GenerationOptions GREEDY = GenerationOptions.defaults();
    private static final SchedulerOptions DEFAULTS = SchedulerOptions.defaults();
    private static final int PAGE = 32;

    private Scheduler scheduler;

    @AfterEach
    void closeScheduler() {
        if (scheduler != null) {
            scheduler.close();
            assertThat(schedulerThreads()).isEmpty();
        }
    }

    private Scheduler open(SchedulerOptions options) {
        scheduler = Scheduler.open(model, tokenizer, options);
        return scheduler;
    }

    private CompletableFuture<GenerationResult> submit(int[] prompt, GenerationOptions options) {
        return submit(prompt, options, TokenListener.NONE);
    }

    private CompletableFuture<GenerationResult> submit(int[] prompt, GenerationOptions options,
            TokenListener listener) {
        return scheduler.submit(prompt, options, listener, new Cancellation());
    }

    private static List<Thread> schedulerThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("vecformer-scheduler")).toList();
    }

    private static int[] prompt(int length) {
        return new Random(length).ints(length, 1, 257).toArray();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    /** Holds up the scheduler's thread at a request's first token, until it is opened. */
    private static final class Gate implements TokenListener {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch opened = new CountDownLatch(1);

        @Override
        public void token(GeneratedToken token) {
            reached.countDown();
            awaitUninterrupted(opened);
        }

        void open() {
            opened.countDown();
        }
    }

    /** A request whose first token holds up the scheduler. */
    private Gate gate(int newTokens) throws InterruptedException {
        Gate gate = new Gate();
        submit(PROMPT, GREEDY.withMaxNewTokens(newTokens), gate);
        gate.reached.await();
        return gate;
    }

    // ---- the same bits

    private record Request(int[] prompt, GenerationOptions options) {}

    /** Requests of every kind, by a seed. */
    private static List<Request> requests(int count, int mostSequences) {
        Random random = new Random(count);
        Sampler constraint = Constraint.regex("[a-z ]{5,40}", Vocabulary.of(tokenizer, 0)).sampler();
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(1 + random.nextInt(i % 3 == 0 ? 80 : 12), 1, 257).toArray();
            GenerationOptions options = GREEDY.withMaxNewTokens(random.nextInt(25));
            if (random.nextInt(3) > 0) {
                int sequences = 1 + random.nextInt(mostSequences);
                options = options.withSeed(random.nextLong()).withReturnSequences(sequences)
                        .withSampling(s -> s.temperature(0.5 + random.nextDouble() * 2));
            }
            options = switch (random.nextInt(8)) {
                case 0 -> options.withSampling(s -> s.topK(20).repetitionPenalty(1.3));
                case 1 -> options.withSampling(s -> s.topP(0.8).noRepeatNgramSize(2));
                case 2 -> options.withSampling(s -> s.constraint(constraint));
                case 3 -> options.withStopTexts("e", "qu");
                case 4 -> options.withEndTokens(30, 60, 90, 120, 150, 180, 210, 240);
                case 5 -> options.withTokenTypes(new TokenTypes(new int[prompt.length], 7));
                case 6 -> options.withSampling(s -> s.mirostat(3, 0.1));
                default -> options;
            };
            if (random.nextBoolean()) {
                options = options.withLogprobs(random.nextInt(4));
            }
            requests.add(new Request(prompt, options));
        }
        return requests;
    }

    private static void assertSame(GenerationResult result, GenerationResult alone) {
        assertThat(result.promptIds()).isEqualTo(alone.promptIds());
        assertThat(result.sequences()).hasSameSizeAs(alone.sequences());
        for (int i = 0; i < alone.sequences().size(); i++) {
            GeneratedSequence sequence = result.sequences().get(i);
            GeneratedSequence expected = alone.sequences().get(i);
            assertThat(sequence.ids()).isEqualTo(expected.ids());
            assertThat(sequence.text()).isEqualTo(expected.text());
            assertThat(sequence.finishReason()).isEqualTo(expected.finishReason());
            // Records of doubles: equal if all bits are.
            assertThat(sequence.logprobs()).isEqualTo(expected.logprobs());
        }
    }

    /** Rows of a step, and of those for prompts; the positions are always too few for all at once. */
    @ParameterizedTest
    @Tag("width")
    @ValueSource(strings = {"128 32", "16 5", "4 1"})
    void everyRequestGetsTheSameBitsAsAlone(String rows) throws Exception {
        String[] words = rows.split(" ");
        int batchTokens = Integer.parseInt(words[0]);
        List<Request> requests = requests(72, 4);
        List<GenerationResult> alone = requests.stream()
                .map(request -> generator.generate(request.prompt, request.options, TokenListener.NONE)).toList();
        open(DEFAULTS.withMaxBatchTokens(batchTokens).withPromptTokens(Integer.parseInt(words[1]))
                .withCacheTokens(16 * PAGE));
        List<Integer> order = new ArrayList<>(IntStream.range(0, requests.size()).boxed().toList());
        Collections.shuffle(order, new Random(batchTokens));
        try (ExecutorService platform = Executors.newFixedThreadPool(12);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<GenerationResult>> results = new ArrayList<>(Collections.nCopies(requests.size(), null));
            for (int i : order) {
                Request request = requests.get(i);
                results.set(i, (i % 2 == 0 ? platform : virtual)
                        .submit(() -> scheduler.generate(request.prompt, request.options)));
            }
            for (int i = 0; i < requests.size(); i++) {
                assertSame(results.get(i).get(), alone.get(i));
            }
        }
        SchedulerLoad load = scheduler.load();
        assertThat(load.running()).isZero();
        assertThat(load.queued()).isZero();
        assertThat(load.positionsUsed()).isZero();
        assertThat(load.positionsFree()).isEqualTo(16 * PAGE);
        assertThat(load.ended()).isEqualTo(requests.size());
        assertThat(load.generatedTokens()).isEqualTo(
                alone.stream().flatMap(each -> each.sequences().stream()).mapToInt(each -> each.ids().length).sum());
        assertThat(load.promptTokens()).isPositive();
    }

    @Test
    void whereLogitsAreRemoteTheTextsAreTheSameToo() throws Exception {
        List<Request> requests = requests(30, 3);
        try (RemoteLogits logits = RemoteLogits.open(true, 257, 0);
                Gpt remote = Gpt.load(logits.engine(), ModelFiles.of(directory), LoadOptions.defaults());
                Scheduler onIt = Scheduler.open(remote, tokenizer, DEFAULTS)) {
            List<CompletableFuture<GenerationResult>> results = requests.stream().map(request -> onIt
                    .submit(request.prompt, request.options, TokenListener.NONE, new Cancellation())).toList();
            for (int i = 0; i < requests.size(); i++) {
                Request request = requests.get(i);
                GenerationResult alone = generator.generate(request.prompt, request.options, TokenListener.NONE);
                assertThat(results.get(i).get().sequences()).map(GeneratedSequence::text)
                        .isEqualTo(alone.sequences().stream().map(GeneratedSequence::text).toList());
            }
        }
    }

    @Test
    void aTextAndItsPiecesAreTheSameAsAlone() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withSeed(3).withSampling(s -> s.temperature(4)).withMaxNewTokens(40)
                .withStopTexts("zz");
        StringBuilder told = new StringBuilder();
        GenerationResult result = scheduler.generate("Hello", options, new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
                told.append(token.text());
            }

            @Override
            public void finished(TextEnd end) {
                told.append(end.text()).append('|');
            }
        }, new Cancellation());
        assertSame(result, generator.generate("Hello", options, TokenListener.NONE));
        assertThat(told.toString()).isEqualTo(result.text() + "|");
    }

    @Test
    void withoutASeedTextsDiffer() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withStrategy(DecodingStrategy.random())
                .withSampling(s -> s.temperature(5)).withMaxNewTokens(40);
        assertThat(scheduler.generate(PROMPT, options).ids())
                .isNotEqualTo(scheduler.generate(PROMPT, options).ids());
    }

    @Test
    void aStepTakesAllTextsOn() throws Exception {
        open(DEFAULTS);
        Gate gate = gate(20);
        List<CompletableFuture<GenerationResult>> results = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            results.add(submit(prompt(3), GREEDY.withMaxNewTokens(20)));
        }
        gate.open();
        for (CompletableFuture<GenerationResult> result : results) {
            result.get();
        }
        // The gate's first, one that reads the eight prompts and writes the gate's second token, 19 more of all.
        assertThat(scheduler.load().steps()).isEqualTo(21);
        assertThat(scheduler.load().generatedTokens()).isEqualTo(9 * 20);
    }

    // ---- bounds

    @Test
    void moreThanMayWaitAreRefused() throws Exception {
        open(DEFAULTS.withMaxQueued(2));
        Gate gate = gate(3);
        CompletableFuture<GenerationResult> first = submit(PROMPT, GREEDY.withMaxNewTokens(4));
        CompletableFuture<GenerationResult> second = submit(PROMPT, GREEDY.withMaxNewTokens(4));
        assertThat(scheduler.load().queued()).isEqualTo(2);
        assertThat(scheduler.load().running()).isEqualTo(1);
        assertThatExceptionOfType(QueueFullException.class)
                .isThrownBy(() -> submit(PROMPT, GREEDY.withMaxNewTokens(4))).withMessageContaining("2 requests wait");
        gate.open();
        assertThat(first.get().ids()).hasSize(4).isEqualTo(second.get().ids());
        assertThat(submit(PROMPT, GREEDY.withMaxNewTokens(4)).get().ids()).isEqualTo(first.get().ids());
    }

    @Test
    void aRequestWaitsUntilThereIsMemoryForAllThatItMayNeed() throws Exception {
        open(DEFAULTS.withCacheTokens(3 * PAGE));
        // Two pages each: one at a time.
        GenerationOptions options = GREEDY.withMaxNewTokens(PAGE);
        GenerationResult alone = generator.generate(PROMPT, options, TokenListener.NONE);
        List<Integer> told = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<GenerationResult>> results = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            results.add(submit(PROMPT, options, _ -> {
                told.add(number);
                assertThat(scheduler.load().positionsUsed()).isEqualTo(2 * PAGE);
                assertThat(scheduler.load().positionsFree()).isEqualTo(PAGE);
            }));
        }
        for (CompletableFuture<GenerationResult> result : results) {
            assertSame(result.get(), alone);
        }
        assertThat(told).isSorted().hasSize(5 * PAGE);
    }

    @Test
    void allMemoryIsTakenWhenItIsOpened() throws Exception {
        MemoryUse before = engine.memory();
        open(DEFAULTS);
        MemoryUse opened = engine.memory();
        assertThat(opened.total()).isGreaterThan(before.total());
        Gate gate = gate(9);
        List<CompletableFuture<GenerationResult>> results = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            results.add(submit(prompt(20), GREEDY.withMaxNewTokens(9)));
        }
        gate.open();
        for (CompletableFuture<GenerationResult> result : results) {
            result.get();
        }
        assertThat(engine.memory()).isEqualTo(opened);
        scheduler.close();
        assertThat(engine.memory()).isEqualTo(before);
    }

    @Test
    void whatCanNeverFitIsRefused() throws Exception {
        open(DEFAULTS.withCacheTokens(5 * PAGE).withMaxBatchTokens(4));
        assertThatExceptionOfType(CacheFullException.class)
                .isThrownBy(() -> submit(PROMPT, GREEDY.withSeed(1).withReturnSequences(2)))
                .withMessageContaining("192 positions").withMessageContaining("which has 160");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> submit(PROMPT, GREEDY.withSeed(1).withReturnSequences(5).withMaxNewTokens(1)))
                .withMessageContaining("5 sequences").withMessageContaining("4 rows");
        assertThatExceptionOfType(PromptTooLongException.class).isThrownBy(() -> submit(prompt(96), GREEDY));
        assertThatIllegalArgumentException().isThrownBy(() -> submit(new int[0], GREEDY));
        assertThatIllegalArgumentException().isThrownBy(() -> submit(new int[]{257}, GREEDY));
        assertThat(scheduler.generate(PROMPT, GREEDY.withMaxNewTokens(2)).ids()).hasSize(2);
    }

    @Test
    void whatNeedsASessionOfItsOwnIsRefused() {
        open(DEFAULTS);
        assertRefused(GREEDY.withStrategy(new DecodingStrategy.BeamSearch(2)), "beams");
        assertRefused(GREEDY.withStrategy(new DecodingStrategy.ContrastiveSearch(2, 0.5)), "contrastive");
        assertRefused(GREEDY.withDrafting(new Drafting.PromptLookup(3, 2)), "drafts");
        assertRefused(GREEDY.withGuidance(new Guidance(2)), "guidance");
        assertRefused(GREEDY.withPromptCache(generator.openPromptCache()), "prompt cache");
        assertRefused(GREEDY.withUseCache(false), "without a cache");
        assertThatIllegalArgumentException().isThrownBy(() -> submit(PROMPT, GREEDY.withReturnSequences(2)));
    }

    private void assertRefused(GenerationOptions options, String word) {
        assertThatIllegalArgumentException().isThrownBy(() -> submit(PROMPT, options)).withMessageContaining(word);
    }

    @Test
    void optionsSayWhatIsWrong() {
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withMaxQueued(0)).withMessageContaining("0");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withPromptTokens(0)).withMessageContaining("0");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withCacheTokens(-1)).withMessageContaining("-1");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withMaxBatchTokens(0))
                .withMessageContaining("0");
    }

    // ---- fairness

    /** Who is told a token, one character each. */
    private final StringBuffer told = new StringBuffer();

    private CompletableFuture<GenerationResult> submit(char name, int promptLength, int newTokens) {
        return submit(prompt(promptLength), GREEDY.withMaxNewTokens(newTokens), _ -> told.append(name));
    }

    @Test
    void aLongPromptDoesNotHoldUpOthers() throws Exception {
        open(DEFAULTS.withPromptTokens(4));
        Gate gate = gate(2);
        var writer = submit('w', 1, 60);
        var reader = submit('r', 80, 3);
        gate.open();
        writer.get();
        reader.get();
        // Of its 80 tokens four are read in each step, in which the other one writes a token.
        assertThat(told.indexOf("r")).isBetween(19, 21);
        assertThat(told.toString()).contains("rwr").endsWith("w").hasSize(63);
    }

    @Test
    void promptsAreReadByTurns() throws Exception {
        open(DEFAULTS.withPromptTokens(4));
        Gate gate = gate(2);
        var writer = submit('w', 1, 60);
        var late = submit('l', 80, 1);
        var early = submit('e', 8, 1);
        gate.open();
        writer.get();
        late.get();
        early.get();
        // The short one's eight tokens take two of the first four or so turns.
        assertThat(told.indexOf("e")).isBetween(3, 6);
        assertThat(told.indexOf("l")).isBetween(20, 24);
    }

    @Test
    void whereNobodyWritesAPromptTakesTheWholeStep() throws Exception {
        open(DEFAULTS.withPromptTokens(4));
        scheduler.generate(prompt(80), GREEDY.withMaxNewTokens(1));
        assertThat(scheduler.load().steps()).isEqualTo(1);
        assertThat(scheduler.load().promptTokens()).isEqualTo(80);
    }

    @Test
    void smallRequestsDoNotOvertakeALargeOne() throws Exception {
        open(DEFAULTS.withCacheTokens(3 * PAGE));
        Gate gate = gate(20);
        var before = submit('b', 1, 20);
        var large = submit('L', 60, 36);
        List<CompletableFuture<GenerationResult>> small = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            small.add(submit('s', 1, 5));
        }
        gate.open();
        before.get();
        large.get();
        for (CompletableFuture<GenerationResult> each : small) {
            each.get();
        }
        assertThat(told.toString()).isEqualTo("b".repeat(20) + "L".repeat(36) + told.substring(56))
                .endsWith("s".repeat(10)).hasSize(20 + 36 + 30);
    }

    // ---- ending early

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneThatWaitsCanBeCancelled(boolean late) throws Exception {
        open(DEFAULTS);
        Gate gate = gate(3);
        Cancellation cancellation = late ? Cancellation.after(Duration.ZERO) : new Cancellation();
        GenerationOptions two = GREEDY.withSeed(4).withReturnSequences(2);
        List<Integer> ended = new ArrayList<>();
        var result = scheduler.submit(PROMPT, two, new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
                throw new AssertionError("it must not begin");
            }

            @Override
            public void finished(TextEnd end) {
                assertThat(end.text()).isEmpty();
                ended.add(end.sequence());
            }
        }, cancellation);
        var timed = submit(PROMPT,
                GREEDY.withStopping(Stopping.whenFull().withMaxTime(Duration.ofNanos(1))));
        var dropped = submit(PROMPT, GREEDY, _ -> {
            throw new AssertionError("it must not begin");
        });
        assertThat(dropped.cancel(false)).isTrue();
        if (!late) {
            cancellation.cancel();
        }
        gate.open();
        FinishReason reason = late ? FinishReason.TIME : FinishReason.CANCELLED;
        assertThat(result.get().sequences()).hasSize(2).allSatisfy(sequence -> {
            assertThat(sequence.finishReason()).isEqualTo(reason);
            assertThat(sequence.ids()).isEmpty();
            assertThat(sequence.text()).isEmpty();
        });
        assertThat(ended).containsExactly(0, 1);
        assertThat(timed.get().finishReason()).isEqualTo(FinishReason.TIME);
        assertThat(timed.get().ids()).isEmpty();
        assertThat(dropped).isCancelled();
        scheduler.generate(PROMPT, GREEDY.withMaxNewTokens(1));
        assertThat(scheduler.load().queued()).isZero();
    }

    @Test
    void oneCanBeCancelledWhileItsPromptIsRead() throws Exception {
        open(DEFAULTS.withPromptTokens(1));
        Gate gate = gate(2);
        Cancellation cancellation = new Cancellation();
        int[] tokens = {0};
        var writer = submit(prompt(1), GREEDY.withMaxNewTokens(40), _ -> {
            if (++tokens[0] == 10) {
                assertThat(scheduler.load().running()).isEqualTo(2);
                cancellation.cancel();
            }
        });
        // More continuations than there would be room for if they did not share the prompt.
        var reader = scheduler.submit(prompt(90), GREEDY.withSeed(1).withReturnSequences(3), _ -> {
            throw new AssertionError("it must not come to write");
        }, cancellation);
        gate.open();
        assertThat(reader.get().sequences()).hasSize(3).allSatisfy(sequence -> {
            assertThat(sequence.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(sequence.ids()).isEmpty();
        });
        assertThat(writer.get().ids()).hasSize(40);
        assertThat(scheduler.load().positionsUsed()).isZero();
    }

    @Test
    void oneCanBeCancelledWhileItIsWritten() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withMaxNewTokens(50);
        int[] alone = generator.generate(PROMPT, options, TokenListener.NONE).ids();
        Gate gate = gate(2);
        Cancellation cancellation = new Cancellation();
        CompletableFuture<GenerationResult> dropped = submit(PROMPT, options);
        var other = submit(PROMPT, options);
        int[] tokens = {0};
        var result = scheduler.submit(PROMPT, options, _ -> {
            if (++tokens[0] == 7) {
                cancellation.cancel();
                dropped.cancel(true);
            }
        }, cancellation);
        gate.open();
        assertThat(result.get().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.get().ids()).isEqualTo(Arrays.copyOf(alone, 7));
        assertThat(other.get().ids()).isEqualTo(alone);
        assertThat(dropped).isCancelled();
        await(() -> scheduler.load().running() == 0);
        assertThat(scheduler.load().positionsUsed()).isZero();
    }

    @Test
    void aDeadlineEndsATextWithWhatWasWritten() throws Exception {
        open(DEFAULTS);
        int[] alone = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        Cancellation cancellation = Cancellation.after(Duration.ofMillis(200));
        // Never done in time: it waits for the deadline.
        GenerationResult result = scheduler.generate(PROMPT, GREEDY, _ -> {
            while (!cancellation.isLate()) {
                Thread.onSpinWait();
            }
        }, cancellation);
        assertThat(result.finishReason()).isEqualTo(FinishReason.TIME);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(alone, result.ids().length)).hasSizeLessThan(2);
    }

    // ---- streams and publishers

    @Test
    void aStreamHasThePiecesOfTheText() {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withSeed(3).withSampling(s -> s.temperature(4)).withMaxNewTokens(40);
        String alone = generator.generate("Hello", options, TokenListener.NONE).text();
        try (Stream<TextPiece> first = scheduler.stream("Hello", options);
                Stream<TextPiece> second = scheduler.stream("Hello", options)) {
            // The first is read half, and stays so, while the second comes to its end.
            Iterator<TextPiece> slow = first.iterator();
            assertThat(slow.next().sequence()).isZero();
            List<TextPiece> pieces = second.toList();
            assertThat(pieces).hasSize(41).last().isEqualTo(
                    new TextEnd(0, ((TextEnd) pieces.getLast()).text(), FinishReason.LENGTH));
            assertThat(pieces.stream().map(TextPiece::text).collect(Collectors.joining())).isEqualTo(alone);
        }
        assertThat(scheduler.load().running()).isZero();
    }

    @Test
    void aStreamThatIsClosedEndsItsRequest() throws Exception {
        open(DEFAULTS);
        CountDownLatch closing = new CountDownLatch(1);
        Stream<TextPiece> stream = scheduler.stream(PROMPT, GREEDY.withStopping(Stopping.whenFull()
                .withCondition((ids, _) -> {
                    if (ids.length == 1) {
                        awaitUninterrupted(closing);
                    }
                    return false;
                })), new Cancellation());
        assertThat(stream.iterator().next()).isInstanceOf(GeneratedToken.class);
        Thread closer = Thread.ofPlatform().start(stream::close);
        // It waits for the request's end, and has said before that it is to end.
        await(() -> closer.getState() == Thread.State.WAITING);
        closing.countDown();
        closer.join();
        assertThat(scheduler.load().running()).isZero();
        assertThat(scheduler.load().generatedTokens()).isEqualTo(1);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aStreamTellsWhatIsWrong() throws Exception {
        open(DEFAULTS.withMaxQueued(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> scheduler.stream(new int[]{257}, GREEDY, new Cancellation()).toList());
        Gate gate = gate(2);
        var waits = submit(PROMPT, GREEDY.withMaxNewTokens(1));
        assertThatExceptionOfType(QueueFullException.class)
                .isThrownBy(() -> scheduler.stream(PROMPT, GREEDY, new Cancellation()).toList());
        gate.open();
        waits.get();
        assertThatExceptionOfType(UncheckedTestException.class)
                .isThrownBy(() -> scheduler.stream(PROMPT,
                        GREEDY.withSampling(s -> s.constraint(new ThrowingSampler())), new Cancellation()).toList());
        Cancellation cancelled = new Cancellation();
        cancelled.cancel();
        assertThat(scheduler.stream(PROMPT, GREEDY, cancelled)).singleElement()
                .isEqualTo(new TextEnd(0, "", FinishReason.CANCELLED));
    }

    @Test
    void aSubscriberGetsWhatItAsksForAndHoldsUpNobody() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withMaxNewTokens(30);
        String alone = generator.generate("Hello", options, TokenListener.NONE).text();
        Subscriber subscriber = new Subscriber();
        scheduler.publish("Hello", options).subscribe(subscriber);
        Flow.Subscription subscription = subscriber.subscription.get();
        subscription.request(3);
        await(() -> subscriber.pieces.size() == 3);
        // Its text is written to the end while it wants no more than that.
        assertThat(scheduler.generate("Hello", options).text()).isEqualTo(alone);
        await(() -> scheduler.load().running() == 0);
        assertThat(subscriber.pieces).hasSize(3);
        assertThat(subscriber.end).isNotDone();
        subscription.request(Long.MAX_VALUE);
        subscriber.end.get();
        assertThat(subscriber.pieces.stream().map(TextPiece::text).collect(Collectors.joining())).isEqualTo(alone);
    }

    @Test
    void aSubscriberThatCancelsEndsItsRequest() throws Exception {
        open(DEFAULTS);
        Gate gate = gate(90);
        Subscriber subscriber = new Subscriber();
        scheduler.publish(PROMPT, GREEDY, new Cancellation()).subscribe(subscriber);
        subscriber.subscription.get().request(1);
        await(() -> scheduler.load().queued() == 1);
        subscriber.subscription.get().cancel();
        gate.open();
        await(() -> scheduler.load().running() == 0);
        assertThat(subscriber.pieces).isEmpty();
        // All were the gate's.
        assertThat(scheduler.load().generatedTokens()).isEqualTo(90);
    }

    private static final class Subscriber implements Flow.Subscriber<TextPiece> {
        private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
        private final List<TextPiece> pieces = new CopyOnWriteArrayList<>();
        private final CompletableFuture<Void> end = new CompletableFuture<>();

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription.complete(subscription);
        }

        @Override
        public void onNext(TextPiece piece) {
            pieces.add(piece);
        }

        @Override
        public void onError(Throwable failure) {
            end.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            end.complete(null);
        }
    }

    @Test
    void anInterruptedCallerEndsItsRequest() throws Exception {
        open(DEFAULTS);
        Gate gate = gate(2);
        for (boolean virtual : new boolean[]{true, false}) {
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            Runnable call = () -> {
                try {
                    scheduler.generate(PROMPT, GREEDY);
                    thrown.complete(null);
                } catch (Throwable e) {
                    thrown.complete(e);
                }
            };
            Thread caller = virtual ? Thread.startVirtualThread(call) : Thread.ofPlatform().start(call);
            await(() -> scheduler.load().queued() > 0);
            caller.interrupt();
            assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        }
        gate.open();
        await(() -> scheduler.load().running() == 0 && scheduler.load().queued() == 0);
    }

    /** However fast the result would be: nothing is begun for it. */
    @Test
    void aCallerThatIsInterruptedAlreadyIsToldSo() throws Exception {
        open(DEFAULTS);
        AtomicInteger tokens = new AtomicInteger();
        for (int i = 0; i < 50; i++) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> scheduler.generate(PROMPT,
                    GREEDY.withMaxNewTokens(1), _ -> tokens.incrementAndGet(), new Cancellation()));
            assertThat(Thread.interrupted()).isFalse();
        }
        assertThat(scheduler.generate(PROMPT, GREEDY.withMaxNewTokens(1)).ids()).hasSize(1);
        assertThat(tokens).hasValue(0);
    }

    // ---- failures

    @Test
    void whatARequestThrowsEndsItAlone() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withMaxNewTokens(30);
        GenerationResult alone = generator.generate(PROMPT, options, TokenListener.NONE);
        Gate gate = gate(2);
        var good = submit(PROMPT, options);
        var listener = submit(PROMPT, options.withSeed(1).withReturnSequences(3), token -> {
            if (token.sequence() == 1) {
                throw new UncheckedTestException("listener");
            }
        });
        var error = submit(PROMPT, options, _ -> {
            throw new AssertionError("error");
        });
        var condition = submit(PROMPT, options.withStopping(Stopping.whenFull().withCondition((ids, _) -> {
            if (ids.length == 5) {
                throw new UncheckedTestException("condition");
            }
            return false;
        })));
        var sampler = submit(PROMPT, options.withSampling(s -> s.constraint(new ThrowingSampler())));
        var end = submit(PROMPT, options.withMaxNewTokens(0), new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
            }

            @Override
            public void finished(TextEnd end) {
                throw new UncheckedTestException("end");
            }
        });
        gate.open();
        assertSame(good.get(), alone);
        assertFailed(listener, "listener");
        assertFailed(condition, "condition");
        assertFailed(sampler, "sampler");
        assertFailed(end, "end");
        assertThatThrownBy(error::get).hasCauseInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> scheduler.generate(PROMPT, options, _ -> {
            throw new UncheckedTestException("mine");
        }, new Cancellation())).isInstanceOf(UncheckedTestException.class).hasMessage("mine");
        assertSame(scheduler.generate(PROMPT, options), alone);
        assertThat(scheduler.load().positionsUsed()).isZero();
    }

    @Test
    void aStepThatFailsEndsThoseThatRunAndNoOthers() throws Exception {
        try (InterceptedEngine intercepted = InterceptedEngine.open();
                Gpt own = Gpt.load(intercepted.engine(), ModelFiles.of(directory), LoadOptions.defaults());
                Scheduler onIt = Scheduler.open(own, tokenizer, DEFAULTS.withCacheTokens(7 * PAGE))) {
            GenerationOptions options = GREEDY.withMaxNewTokens(60);
            Gate gate = new Gate();
            var first = onIt.submit(PROMPT, options, gate, new Cancellation());
            gate.reached.await();
            // One that is begun now, and one that has to wait for memory.
            var second = onIt.submit(PROMPT, options, TokenListener.NONE, new Cancellation());
            var third = onIt.submit(PROMPT, options, TokenListener.NONE, new Cancellation());
            intercepted.fail(new UncheckedTestException("step"));
            gate.open();
            assertFailed(first, "step");
            assertFailed(second, "step");
            assertSame(third.get(), generator.generate(PROMPT, options, TokenListener.NONE));
            assertThat(onIt.load().positionsUsed()).isZero();
        }
    }

    @Test
    void aDeviceThatFailsEndsTheScheduler() throws Exception {
        try (InterceptedEngine intercepted = InterceptedEngine.open();
                Gpt own = Gpt.load(intercepted.engine(), ModelFiles.of(directory), LoadOptions.defaults());
                Scheduler onIt = Scheduler.open(own, tokenizer, DEFAULTS.withCacheTokens(3 * PAGE))) {
            Gate gate = new Gate();
            var runs = onIt.submit(PROMPT, GREEDY, gate, new Cancellation());
            gate.reached.await();
            var waits = onIt.submit(PROMPT, GREEDY, TokenListener.NONE, new Cancellation());
            intercepted.fail(new DeviceException("the card is gone"));
            gate.open();
            for (var future : List.of(runs, waits)) {
                assertThatThrownBy(future::get).hasCauseInstanceOf(DeviceException.class)
                        .hasMessageContaining("the card is gone");
            }
            await(() -> schedulerThreads().isEmpty());
            assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> onIt.generate(PROMPT, GREEDY))
                    .withMessageContaining("the scheduler has ended").withMessageContaining("the card is gone")
                    .withCauseInstanceOf(DeviceException.class);
        }
    }

    private static void assertFailed(Future<GenerationResult> future, String message) {
        assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(UncheckedTestException.class).hasMessageEndingWith(message);
    }

    private static final class UncheckedTestException extends RuntimeException {
        private static final long serialVersionUID = 1;

        UncheckedTestException(String message) {
            super(message);
        }
    }

    private static final class ThrowingSampler implements Sampler {
        @Override
        public void apply(Candidates candidates) {
            throw new UncheckedTestException("sampler");
        }

        @Override
        public Sampler copy() {
            return this;
        }
    }

    @Test
    void aListenerMaySubmitButNotWait() throws Exception {
        open(DEFAULTS);
        CompletableFuture<CompletableFuture<GenerationResult>> inner = new CompletableFuture<>();
        submit(PROMPT, GREEDY.withMaxNewTokens(1), _ -> {
            assertThatIllegalStateException().isThrownBy(() -> scheduler.generate(PROMPT, GREEDY))
                    .withMessageContaining("submit");
            Thread.currentThread().interrupt();
            inner.complete(submit(PROMPT, GREEDY.withMaxNewTokens(3)));
        }).get();
        assertThat(inner.get().get().ids()).hasSize(3);
    }

    @Test
    void whatHangsOnAResultMayWaitForTheScheduler() throws Exception {
        open(DEFAULTS);
        var chain = submit(PROMPT, GREEDY.withMaxNewTokens(2)).thenApply(first -> {
            assertThat(Thread.currentThread().getName()).isNotEqualTo("vecformer-scheduler");
            try {
                return scheduler.generate(first.ids(), GREEDY.withMaxNewTokens(3));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(chain.get().ids()).hasSize(3);
    }

    // ---- the end

    @Test
    void closedItEndsWhatRunsAndWhatWaits() throws Exception {
        open(DEFAULTS.withCacheTokens(3 * PAGE));
        Gate gate = new Gate();
        var runs = submit(PROMPT, GREEDY, gate);
        gate.reached.await();
        var waits = submit(PROMPT, GREEDY);
        Thread closer = Thread.ofPlatform().start(() -> scheduler.close());
        await(() -> {
            try {
                submit(PROMPT, GREEDY);
                return false;
            } catch (QueueFullException _) {
                return false;
            } catch (ClosedException e) {
                assertThat(e).hasMessage("the scheduler is closed");
                return true;
            }
        });
        assertThat(closer.isAlive()).isTrue();
        gate.open();
        closer.join();
        assertThat(schedulerThreads()).isEmpty();
        for (var future : List.of(runs, waits)) {
            assertThatThrownBy(future::get).hasCauseInstanceOf(ClosedException.class)
                    .hasMessageContaining("the scheduler was closed");
        }
        scheduler.close();
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> scheduler.generate(PROMPT, GREEDY));
    }

    @Test
    void closedWhileManySubmitItForgetsNobody() throws Exception {
        GenerationResult alone = generator.generate(PROMPT, GREEDY.withMaxNewTokens(5), TokenListener.NONE);
        for (int round = 0; round < 30; round++) {
            open(DEFAULTS.withMaxQueued(8));
            List<Future<Integer>> all = new ArrayList<>();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 16; i++) {
                    all.add(threads.submit(this::generateUntilClosed));
                }
                await(() -> scheduler.load().ended() > 20);
                scheduler.close();
            }
            for (Future<Integer> each : all) {
                assertThat(each.get()).isIn(0, Arrays.hashCode(alone.ids()));
            }
            assertThat(schedulerThreads()).isEmpty();
        }
    }

    /** Returns a hash of the tokens that were always the same; 0 if it got none. */
    private int generateUntilClosed() throws InterruptedException {
        int[] first = {};
        while (true) {
            try {
                int[] ids = scheduler.generate(PROMPT, GREEDY.withMaxNewTokens(5)).ids();
                assertThat(first.length == 0 ? ids : first).isEqualTo(ids);
                first = ids;
            } catch (QueueFullException _) {
                Thread.yield();
            } catch (ClosedException _) {
                return first.length == 0 ? 0 : Arrays.hashCode(first);
            }
        }
    }

    @Test
    void itCanBeClosedByAListener() throws Exception {
        open(DEFAULTS);
        var result = submit(PROMPT, GREEDY, _ -> scheduler.close());
        assertThatThrownBy(result::get).hasCauseInstanceOf(ClosedException.class);
    }

    @Test
    void closedAtOnceItHasNoThread() {
        for (int i = 0; i < 20; i++) {
            open(DEFAULTS).close();
            assertThat(schedulerThreads()).isEmpty();
        }
    }

    @Test
    void ifTheModelIsClosedTheRequestsSaySo() throws Exception {
        Gpt own = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
        try (Scheduler onIt = Scheduler.open(own, tokenizer, DEFAULTS)) {
            Gate gate = new Gate();
            var runs = onIt.submit(PROMPT, GREEDY, gate, new Cancellation());
            gate.reached.await();
            var waits = onIt.submit(PROMPT, GREEDY, TokenListener.NONE, new Cancellation());
            own.close();
            assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> onIt.generate(PROMPT, GREEDY))
                    .withMessageContaining("closed");
            gate.open();
            for (var future : List.of(runs, waits)) {
                assertThatThrownBy(future::get).hasCauseInstanceOf(ClosedException.class)
                        .hasMessageContaining("the model is closed");
            }
            await(() -> schedulerThreads().isEmpty());
            assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> onIt.generate(PROMPT, GREEDY));
        }
    }

    @Test
    void severalSchedulersShareAModel() throws Exception {
        open(DEFAULTS);
        GenerationOptions options = GREEDY.withMaxNewTokens(20);
        try (Scheduler other = Scheduler.open(model)) {
            var first = submit(PROMPT, options);
            var second = other.submit(PROMPT, options, TokenListener.NONE, new Cancellation());
            assertSame(first.get(), second.get());
        }
    }

    @Test
    void aThreadOfItsOwnHoldsNothingOfTheOpener() throws IOException {
        InheritableThreadLocal<String> local = new InheritableThreadLocal<>();
        local.set("opener");
        ClassLoader own = new ClassLoader(getClass().getClassLoader()) {
        };
        Thread.currentThread().setContextClassLoader(own);
        try {
            open(DEFAULTS);
        } finally {
            Thread.currentThread().setContextClassLoader(getClass().getClassLoader());
        }
        String[] inherited = {"nothing yet"};
        submit(PROMPT, GREEDY.withMaxNewTokens(1), _ -> inherited[0] = local.get()).join();
        assertThat(inherited[0]).isNull();
        assertThat(schedulerThreads()).singleElement().satisfies(thread -> {
            assertThat(thread.getContextClassLoader()).isNotSameAs(own);
            assertThat(thread.isDaemon()).isTrue();
        });
    }
}
