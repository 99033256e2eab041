package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.tokenizer.Tokenizer;

/** Use after close, double close, and close while another thread computes. */
class ClosingTest {

    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(24)
            .withStrategy(DecodingStrategy.random(3));
    private static final String PROMPT = "Hello, world";
    private static final TaskInput INPUT = TaskInput.of("the [MASK] is good");

    @TempDir
    static Path directory;
    private static TinyModels models;
    private static Tokenizer gptTokenizer;
    private static Tokenizer bertTokenizer;

    @BeforeAll
    static void write() throws IOException {
        models = TinyModels.write(directory);
        gptTokenizer = models.gptTokenizer();
        bertTokenizer = models.bertTokenizer();
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void refused(String what, Call call) {
        assertThatThrownBy(call::run).isInstanceOf(ClosedException.class).hasMessageContaining(what + " is closed");
    }

    @Test
    void aClosedSessionRefusesEverything() throws IOException {
        try (Engine engine = TestBackends.open(2); Gpt model = models.loadGpt(engine)) {
            Session session = model.openSession(SessionOptions.defaults());
            Sequence sequence = session.newSequence();
            session.feed(sequence, new int[]{1, 2, 3}, 0, 3);
            Batch batch = session.batch();
            float[] logits = new float[model.outputs()];
            session.close();
            session.close();
            refused("session", session::newSequence);
            refused("session", () -> session.feed(sequence, new int[]{1}, 0, 1));
            refused("session", () -> session.step(batch));
            refused("session", () -> session.reserve(sequence, 10));
            refused("session", () -> session.logits(0, logits));
            refused("session", () -> session.hiddenState(0, logits));
            refused("session", () -> session.argMax(0));
            refused("session", () -> session.logSumExp(0));
            refused("session", () -> session.topK(0, 1, new int[1], new float[1]));
            refused("session", session::await);
            sequence.close();
            sequence.close();
        }
    }

    @Test
    void aClosedEncoderSessionRefusesEverything() throws IOException {
        try (Engine engine = TestBackends.open(2); Bert model = models.loadBert(engine)) {
            EncoderSession session = model.openSession(EncoderOptions.defaults());
            var batch = session.batch();
            session.close();
            session.close();
            refused("session", () -> session.run(batch));
            refused("session", () -> session.hidden(0, 0, new float[100]));
        }
    }

    @Test
    void closedTasksRefuseEverything() throws IOException {
        try (Engine engine = TestBackends.open(2);
                Gpt gpt = models.loadGpt(engine);
                Bert bert = models.loadBert(engine)) {
            TextGenerator generator = TextGenerator.open(gpt, gptTokenizer);
            Scorer scorer = Scorer.open(gpt, gptTokenizer);
            FillMask fillMask = FillMask.open(bert, bertTokenizer);
            Embedder embedder = Embedder.open(bert, bertTokenizer);
            for (AutoCloseable task : List.of(generator, scorer, fillMask, embedder, generator, scorer, fillMask,
                    embedder)) {
                close(task);
            }
            refused("", () -> generator.generate(PROMPT, OPTIONS, TokenListener.NONE));
            refused("", generator::openPromptCache);
            refused("", () -> scorer.score(PROMPT, ScoringOptions.defaults()));
            refused("", () -> fillMask.fill(INPUT, FillMaskOptions.defaults()));
            refused("", () -> embedder.embed(INPUT, EmbedderOptions.defaults()));
            generator.cancel();
            scorer.cancel();
            fillMask.cancel();
            embedder.cancel();
        }
    }

    @Test
    void aClosedModelRefusesItsSessionsAndNewOnes() throws IOException {
        try (Engine engine = TestBackends.open(2)) {
            Gpt gpt = models.loadGpt(engine);
            Bert bert = models.loadBert(engine);
            TextGenerator generator = TextGenerator.open(gpt, gptTokenizer);
            Embedder embedder = Embedder.open(bert, bertTokenizer);
            assertThat(gpt.isClosed()).isFalse();
            gpt.close();
            gpt.close();
            bert.close();
            bert.close();
            assertThat(gpt.isClosed()).isTrue();
            refused("model", () -> gpt.openSession(SessionOptions.defaults()));
            refused("model", () -> bert.openSession(EncoderOptions.defaults()));
            refused("model", () -> TextGenerator.open(gpt, gptTokenizer));
            refused("model", () -> generator.generate(PROMPT, OPTIONS, TokenListener.NONE));
            refused("model", () -> embedder.embed(INPUT, EmbedderOptions.defaults()));
            generator.close();
            embedder.close();
        }
    }

    @Test
    void aClosedEngineRefusesItsModelsAndNewOnes() throws IOException {
        Engine engine = TestBackends.open(2);
        try (Gpt gpt = models.loadGpt(engine); TextGenerator generator = TextGenerator.open(gpt, gptTokenizer)) {
            engine.close();
            engine.close();
            refused("engine", () -> models.loadGpt(engine));
            refused("engine", () -> models.loadBert(engine));
            refused("engine", () -> TextGenerator.open(gpt, gptTokenizer));
            refused("engine", () -> generator.generate(PROMPT, OPTIONS, TokenListener.NONE));
        }
    }

    /** What is closed while somebody computes. */
    enum Closed {
        TASK, MODEL, ENGINE
    }

    private static final int ROUNDS = 150;

    /**
     * Hundreds of times, at any moment of the work: it ends with a {@link ClosedException} on its thread, and whatever was
     * finished before is right.
     */
    @ParameterizedTest
    @EnumSource
    void closingEndsTheTextThatAnotherThreadWrites(Closed closed) throws Exception {
        String expected;
        try (Engine engine = TestBackends.open(2);
                Gpt model = models.loadGpt(engine);
                TextGenerator generator = TextGenerator.open(model, gptTokenizer)) {
            expected = generator.generate(PROMPT, OPTIONS, TokenListener.NONE).text();
        }
        SplittableRandom random = new SplittableRandom(8);
        AtomicInteger finished = new AtomicInteger();
        for (int round = 0; round < ROUNDS; round++) {
            Engine engine = TestBackends.open(2);
            Gpt model = models.loadGpt(engine);
            TextGenerator generator = TextGenerator.open(model, gptTokenizer);
            closeMeanwhile(round % 10 == 0, () -> {
                assertThat(generator.generate(PROMPT, OPTIONS, TokenListener.NONE).text()).isEqualTo(expected);
                finished.incrementAndGet();
            }, random, of(closed, generator, model, engine));
            generator.close();
            model.close();
            engine.close();
        }
        assertThat(finished).as("texts that were finished in %d rounds", ROUNDS).hasPositiveValue();
        Waiting.until("the engines' threads have ended", () -> Waiting.libraryThreads().isEmpty());
    }

    @ParameterizedTest
    @EnumSource
    void closingEndsTheVectorsThatAnotherThreadMakes(Closed closed) throws Exception {
        List<TaskInput> inputs = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            inputs.add(TaskInput.of("the man is good ".repeat(1 + i % 10)));
        }
        SplittableRandom random = new SplittableRandom(9);
        AtomicReference<float[]> last = new AtomicReference<>();
        for (int round = 0; round < ROUNDS; round++) {
            Engine engine = TestBackends.open(2);
            Bert model = models.loadBert(engine);
            Embedder embedder = Embedder.open(model, bertTokenizer);
            closeMeanwhile(round % 10 == 0, () -> {
                float[] vector = embedder.embedAll(inputs, EmbedderOptions.defaults(), (_, _) -> {
                }).getLast().vector();
                float[] before = last.getAndSet(vector);
                assertThat(before == null ? vector : before).isEqualTo(vector);
            }, random, of(closed, embedder, model, engine));
            embedder.close();
            model.close();
            engine.close();
        }
        assertThat(last.get()).isNotNull();
    }

    private static AutoCloseable of(Closed closed, AutoCloseable task, AutoCloseable model, AutoCloseable engine) {
        return switch (closed) {
            case TASK -> task;
            case MODEL -> model;
            case ENGINE -> engine;
        };
    }

    /**
     * Closes something after a random time, while a thread repeats its work until that throws.
     *
     * @param done whether the work shall be done once at least
     */
    private static void closeMeanwhile(boolean done, Call work, SplittableRandom random, AutoCloseable closed)
            throws Exception {
        CountDownLatch started = new CountDownLatch(done ? 2 : 1);
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread worker = Thread.ofPlatform().start(() -> {
            try {
                started.countDown();
                for (;;) {
                    work.run();
                    started.countDown();
                }
            } catch (Throwable e) {
                end.set(e);
                started.countDown();
            }
        });
        started.await();
        LockSupport.parkNanos(random.nextLong(10_000_000));
        closed.close();
        Waiting.join(List.of(worker), Waiting.LIMIT);
        assertThat(end.get()).isInstanceOf(ClosedException.class).hasMessageContaining("is closed");
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
