package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.InterceptedEngine;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.MemoryUse;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;

/** Many threads, one session: the same bits as alone, whoever else comes, goes or fails. */
@Timeout(120)
class EmbeddingBatcherTest {

    private static final EmbedderOptions MEAN = EmbedderOptions.defaults();
    private static final int THREADS = 64;

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private EmbeddingBatcher batcher;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertModel", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        batcher = EmbeddingBatcher.open(bert.model(), bert.tokenizer(),
                new EmbeddingBatcherOptions(200, Integer.MAX_VALUE));
    }

    @AfterEach
    void closeBatcher() {
        batcher.close();
    }

    private static List<TaskInput> texts(int count, int maxWords, long seed) {
        return TinyBert.texts(count, maxWords, seed).stream().map(TaskInput::of).toList();
    }

    private static List<Embedding> alone(List<TaskInput> inputs, EmbedderOptions options) {
        try (Embedder embedder = Embedder.open(bert.model(), bert.tokenizer())) {
            return inputs.stream().map(input -> embedder.embed(input, options)).toList();
        }
    }

    private static void assertSame(List<Embedding> actual, List<Embedding> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i).vector()).isEqualTo(expected.get(i).vector());
            assertThat(actual.get(i)).usingRecursiveComparison().isEqualTo(expected.get(i));
        }
    }

    private static Future<?> start(boolean virtual, Runnable work) {
        FutureTask<?> task = new FutureTask<>(work, null);
        (virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(task);
        return task;
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** A batcher whose first run is held up, so that things happen while it computes. */
    private static final class Held implements AutoCloseable {
        final InterceptedEngine engine = InterceptedEngine.open();
        final Bert model;
        final EmbeddingBatcher batcher;
        final InterceptedEngine.Hold run;

        Held() throws IOException {
            model = Bert.load(engine.engine(), directory);
            batcher = EmbeddingBatcher.open(model, model.tokenizer(),
                    new EmbeddingBatcherOptions(200, Integer.MAX_VALUE));
            run = engine.hold();
        }

        @Override
        public void close() {
            run.release();
            batcher.close();
            model.close();
            engine.close();
        }
    }

    /** So many texts that they take many runs. */
    private static List<TaskInput> many() {
        return texts(3000, 30, 17);
    }

    @Test
    void theSameBitsFromManyThreads() throws Exception {
        List<EmbedderOptions> options = List.of(MEAN, MEAN.withNormalize(true).withPoolings(Pooling.CLS, Pooling.MAX),
                MEAN.withMaxLength(12).withLongTexts(LongTexts.SPLIT), MEAN.withPrompt("the city ").withMaxLength(20),
                MEAN.withPoolings(Pooling.POOLER));
        List<TaskInput> inputs = texts(40, 60, 3);
        List<List<Embedding>> expected = options.stream().map(each -> alone(inputs, each)).toList();
        CountDownLatch all = new CountDownLatch(THREADS);
        List<Future<?>> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            Random random = new Random(t);
            threads.add(start(t % 2 == 0, () -> {
                all.countDown();
                awaitUninterrupted(all);
                for (int call = 0; call < 6; call++) {
                    int with = random.nextInt(options.size());
                    int from = random.nextInt(inputs.size());
                    int to = call % 2 == 0 ? from + 1 : from + random.nextInt(inputs.size() + 1 - from);
                    List<TaskInput> some = inputs.subList(from, to);
                    assertSame(switch (call) {
                        case 0, 1, 2 -> batcher.embedAll(some, options.get(with));
                        case 3 -> batcher.submitAll(some, options.get(with), new Cancellation()).join();
                        case 4 -> List.of(batcher.submit(some.getFirst(), options.get(with), new Cancellation())
                                .join());
                        default -> some.stream().map(input -> batcher.embed(input, options.get(with))).toList();
                    }, expected.get(with).subList(from, to));
                }
            }));
        }
        for (Future<?> thread : threads) {
            thread.get();
        }
        EmbeddingLoad load = batcher.load();
        assertThat(load.queuedRequests()).isZero();
        assertThat(load.queuedTokens()).isZero();
        assertThat(load.tokens()).isLessThanOrEqualTo(200 * load.runs());
    }

    @Test
    void textsThatWaitTogetherRunTogether() throws Exception {
        try (Held held = new Held()) {
            var first = held.batcher.submit(TaskInput.of("the man"), MEAN, new Cancellation());
            held.run.awaitReached();
            var others = IntStream.range(0, 6).mapToObj(_ -> held.batcher.submit(TaskInput.of("the man"), MEAN,
                    new Cancellation())).toList();
            held.run.release();
            others.forEach(other -> assertThat(other.join().vector()).isEqualTo(first.join().vector()));
            assertThat(held.batcher.load().runs()).isEqualTo(2);
            assertThat(held.batcher.load().sequences()).isEqualTo(7);
        }
    }

    @Test
    void oneThatFailsFailsAlone() {
        List<TaskInput> inputs = texts(20, 20, 8);
        List<CompletableFuture<List<Embedding>>> good = new ArrayList<>();
        List<CompletableFuture<List<Embedding>>> bad = new ArrayList<>();
        // A head start, so that the others meet in its runs.
        CompletableFuture<List<Embedding>> first = batcher.submitAll(texts(200, 30, 1), MEAN, new Cancellation());
        for (int i = 0; i < 20; i++) {
            good.add(batcher.submitAll(inputs, MEAN, new Cancellation()));
            bad.add(batcher.submitAll(List.of(inputs.get(i), TaskInput.of(EncoderInput.of(2, 1000 + i, 3))), MEAN,
                    new Cancellation()));
            assertThatExceptionOfType(TextTooLongException.class)
                    .isThrownBy(() -> batcher.embed(TaskInput.of("the man is good"),
                            MEAN.withMaxLength(4).withLongTexts(LongTexts.REFUSE)));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> batcher.embed(inputs.getFirst(), MEAN.withMaxLength(1)));
        }
        List<Embedding> expected = alone(inputs, MEAN);
        good.forEach(result -> assertSame(result.join(), expected));
        for (int i = 0; i < bad.size(); i++) {
            String id = "token id " + (1000 + i);
            assertThat(bad.get(i)).failsWithin(Duration.ofMinutes(1)).withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(IllegalArgumentException.class).withMessageContaining(id);
        }
        assertThat(first.join()).hasSize(200);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batcher.embed(TaskInput.of(EncoderInput.of(2, 1000, 3)), MEAN))
                .withMessageContaining("token id 1000");
        assertThat(batcher.embedAll(List.of(), MEAN)).isEmpty();
        assertThat(batcher.dimensions(MEAN)).isEqualTo(TinyBert.HIDDEN);
    }

    @Test
    void aFullQueueRefusesAndGoesOn() {
        TaskInput input = TaskInput.of("the man is good in the city");
        List<Embedding> expected = alone(List.of(input), MEAN);
        try (EmbeddingBatcher small = EmbeddingBatcher.open(bert.model(), bert.tokenizer(),
                new EmbeddingBatcherOptions(1, 100))) {
            List<CompletableFuture<Embedding>> accepted = new ArrayList<>();
            // Runs of one text each: more come than can be computed.
            assertThatExceptionOfType(QueueFullException.class).isThrownBy(() -> {
                while (true) {
                    accepted.add(small.submit(input, MEAN, new Cancellation()));
                }
            }).withMessageContaining("100");
            assertThat(accepted.size()).isGreaterThanOrEqualTo(100 / 9);
            accepted.forEach(result -> assertSame(List.of(result.join()), expected));
            assertSame(small.embedAll(List.of(input), MEAN), expected);
        }
    }

    @Test
    void cancelledWhileItRuns() throws Exception {
        try (Held held = new Held()) {
            held.batcher.submit(TaskInput.of("the man"), MEAN, new Cancellation());
            held.run.awaitReached();
            // Those that come meanwhile are in the next run together.
            InterceptedEngine.Hold next = held.engine.hold();
            Cancellation cancellation = new Cancellation();
            Cancellation deadline = Cancellation.after(Duration.ofMillis(500));
            CompletableFuture<List<Embedding>> cancelled = held.batcher.submitAll(many(), MEAN, cancellation);
            CompletableFuture<List<Embedding>> byFuture = held.batcher.submitAll(many(), MEAN, new Cancellation());
            CompletableFuture<List<Embedding>> late = held.batcher.submitAll(many(), MEAN, deadline);
            held.run.release();
            next.awaitReached();
            cancellation.cancel();
            byFuture.cancel(true);
            await(deadline::isLate);
            next.release();
            assertThatExceptionOfType(CancellationException.class).isThrownBy(cancelled::join);
            assertThatExceptionOfType(CancellationException.class).isThrownBy(byFuture::join);
            assertThat(late.handle((_, why) -> why).join()).isInstanceOf(DeadlineException.class);
            assertThat(held.batcher.embed(TaskInput.of("the man"), MEAN).tokens()).isEqualTo(4);
            assertThat(held.batcher.load().queuedTokens()).isZero();
            assertThat(held.batcher.load().sequences()).as("that run has not come to its end").isEqualTo(2);
        }
    }

    @Test
    void cancelledBeforeItBegins() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> batcher.embed(TaskInput.of("the man"), MEAN, cancellation))
                .isNotInstanceOf(DeadlineException.class);
        assertThatExceptionOfType(DeadlineException.class).isThrownBy(
                () -> batcher.embedAll(many(), MEAN, Cancellation.after(Duration.ZERO)));
        assertThat(batcher.load().runs()).isZero();
    }

    @Test
    void deadlinesOfBlockingCalls() {
        assertThatExceptionOfType(DeadlineException.class).isThrownBy(
                () -> batcher.embedAll(many(), MEAN, Cancellation.after(Duration.ofMillis(10))));
        assertThat(batcher.embed(TaskInput.of("the man"), MEAN).tokens()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptedThreadStopsWaiting(boolean virtual) throws Exception {
        try (Held held = new Held()) {
            FutureTask<Boolean> task = new FutureTask<>(() -> {
                assertThatExceptionOfType(CancellationException.class)
                        .isThrownBy(() -> held.batcher.embedAll(many(), MEAN)).withMessageContaining("interrupted");
                return Thread.currentThread().isInterrupted();
            });
            Thread thread = (virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(task);
            held.run.awaitReached();
            thread.interrupt();
            // It does not even wait for the run.
            assertThat(task.get()).isTrue();
            held.run.release();
            assertThat(held.batcher.embed(TaskInput.of("the man"), MEAN).tokens()).isEqualTo(4);
            assertThat(held.batcher.load().queuedTokens()).isZero();
        }
    }

    /** However fast the result would be: nothing is begun for it. */
    @Test
    void aThreadThatIsInterruptedAlreadyIsToldSo() {
        for (int i = 0; i < 50; i++) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(CancellationException.class)
                    .isThrownBy(() -> batcher.embed(TaskInput.of("the man"), MEAN))
                    .withMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(batcher.load().runs()).isZero();
        assertThat(batcher.embed(TaskInput.of("the man"), MEAN).tokens()).isEqualTo(4);
    }

    @Test
    void whatDependsOnAResultHoldsUpNobody() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (Held held = new Held()) {
            CompletableFuture<Boolean> dependent = held.batcher
                    .submitAll(many().subList(0, 100), MEAN, new Cancellation()).thenApply(_ -> {
                        awaitUninterrupted(release);
                        return Thread.currentThread().isVirtual();
                    });
            held.run.release();
            for (TaskInput input : texts(10, 10, 4)) {
                held.batcher.embed(input, MEAN);
            }
            await(() -> held.batcher.load().queuedTokens() == 0);
            assertThat(held.batcher.embed(TaskInput.of("the man"), MEAN).tokens()).isEqualTo(4);
            assertThat(dependent).isNotDone();
            release.countDown();
            assertThat(dependent.get()).isTrue();
        }
    }

    @Test
    void closedWhileOthersWait() throws Exception {
        batcher.close();
        try (Held held = new Held()) {
            CompletableFuture<List<Embedding>> submitted = held.batcher.submitAll(many(), MEAN, new Cancellation());
            held.run.awaitReached();
            List<Future<?>> threads = IntStream.range(0, 8).<Future<?>>mapToObj(t -> start(t % 2 == 0,
                    () -> assertThatExceptionOfType(ClosedException.class)
                            .isThrownBy(() -> held.batcher.embedAll(many(), MEAN)).withMessageContaining("closed")))
                    .toList();
            await(() -> held.batcher.load().queuedRequests() == 9);
            Future<?> other = start(false, held.batcher::close);
            // Those who wait are told at once, before the run has ended.
            for (Future<?> thread : threads) {
                thread.get();
            }
            assertThat(submitted.handle((_, why) -> why).join()).isInstanceOf(ClosedException.class);
            assertThat(other).isNotDone();
            held.run.release();
            held.batcher.close();
            other.get();
            assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
                    .doesNotContain("vecformer-embedder");
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> held.batcher.embed(TaskInput.of("the man"), MEAN));
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> held.batcher.submit(TaskInput.of("the man"), MEAN, new Cancellation()));
            held.batcher.close();
        }
    }

    @Test
    void aClosedModelFailsItsRequests() throws Exception {
        try (Held held = new Held()) {
            CompletableFuture<List<Embedding>> running = held.batcher.submitAll(many(), MEAN, new Cancellation());
            held.run.awaitReached();
            held.model.close();
            held.run.release();
            assertThat(running.handle((_, why) -> why).join()).isInstanceOf(ClosedException.class);
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> held.batcher.embed(TaskInput.of("the man"), MEAN));
        }
    }

    @Test
    void aRunThatDoesNotFitIntoMemoryFailsThoseWhoAreInIt() throws IOException {
        TaskInput small = TaskInput.of("the man is good");
        long enough;
        try (Engine engine = TestBackends.open(EngineOptions.defaults().withThreads(1))) {
            Bert model = Bert.load(engine, directory);
            MemoryUse before = engine.memory();
            try (EmbeddingBatcher other = EmbeddingBatcher.open(model)) {
                other.embed(small, MEAN);
                enough = engine.memory().total();
                other.embedAll(many(), MEAN);
                assertThat(engine.memory().total()).as("what longer runs need").isGreaterThan(enough);
            }
            assertThat(engine.memory()).as("closed, it has given all back").isEqualTo(before);
            model.close();
        }
        try (Engine engine = TestBackends.open(EngineOptions.defaults().withThreads(1).withMemoryLimit(enough))) {
            Bert model = Bert.load(engine, directory);
            try (EmbeddingBatcher other = EmbeddingBatcher.open(model)) {
                assertSame(other.embedAll(List.of(small), MEAN), alone(List.of(small), MEAN));
                assertThatExceptionOfType(MemoryLimitException.class).isThrownBy(() -> other.embedAll(many(), MEAN));
                assertSame(other.embedAll(List.of(small), MEAN), alone(List.of(small), MEAN));
            }
            model.close();
        }
    }
}
