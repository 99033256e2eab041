package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Model;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TextGenerator;

/** Several models in one process: whose threads compute, and when they are gone. */
class SharedEngineTest {

    private static final int THREADS = 4;

    @TempDir
    static Path directory;
    private static TinyModels models;

    @BeforeAll
    static void write() throws IOException {
        models = TinyModels.write(directory);
    }

    @BeforeEach
    void nobodyElseIsHere() throws Exception {
        Waiting.until("the threads of earlier tests have ended", () -> Waiting.libraryThreads().isEmpty());
    }

    private static void write(Gpt model) throws IOException {
        try (TextGenerator generator = TextGenerator.open(model, models.gptTokenizer())) {
            generator.generate("Hello", GenerationOptions.defaults().withMaxNewTokens(8), TokenListener.NONE);
        }
    }

    private static void embed(Bert model) throws IOException {
        try (Embedder embedder = Embedder.open(model, models.bertTokenizer())) {
            embedder.embed(TaskInput.of("the man is good"), EmbedderOptions.defaults());
        }
    }

    @Test
    void modelsOfAnEngineShareItsThreads() throws Exception {
        try (Engine engine = TestBackends.open(THREADS)) {
            Gpt first = models.loadGpt(engine);
            Gpt second = models.loadGpt(engine);
            Bert third = models.loadBert(engine);
            write(first);
            Set<Thread> threads = Set.copyOf(Waiting.libraryThreads());
            assertThat(threads).hasSize(THREADS - 1);
            write(second);
            embed(third);
            assertThat(Waiting.libraryThreads()).containsExactlyInAnyOrderElementsOf(threads);
            first.close();
            second.close();
            embed(third);
            assertThat(Waiting.libraryThreads()).containsExactlyInAnyOrderElementsOf(threads);
            third.close();
            Waiting.join(threads, Waiting.LIMIT);
            // The engine is open: a new model has threads again.
            try (Gpt fourth = models.loadGpt(engine)) {
                write(fourth);
                assertThat(Waiting.libraryThreads()).hasSize(THREADS - 1);
            }
            Waiting.until("the threads have ended", () -> Waiting.libraryThreads().isEmpty());
        }
    }

    @Test
    void anEngineWithoutModelsHasNoThreads() {
        try (Engine _ = TestBackends.open(THREADS); Engine _ = TestBackends.open(THREADS)) {
            assertThat(Waiting.libraryThreads()).isEmpty();
        }
    }

    @Test
    void aModelWithAnEngineOfItsOwnTakesItAlong() throws Exception {
        Model model = Model.load(models.gpt());
        write((Gpt) model);
        Engine engine = model.engine();
        assertThat(Waiting.libraryThreads()).hasSize(engine.threads() - 1);
        model.close();
        Waiting.until("the threads have ended", () -> Waiting.libraryThreads().isEmpty());
    }

    @Test
    void threadsEndWithTheEngineToo() throws Exception {
        Engine engine = TestBackends.open(THREADS);
        Gpt model = models.loadGpt(engine);
        write(model);
        List<Thread> threads = Waiting.libraryThreads();
        assertThat(threads).hasSize(THREADS - 1).allMatch(Thread::isDaemon);
        engine.close();
        Waiting.join(threads, Waiting.LIMIT);
        model.close();
    }

    /** A pool thread of the server that happened to be the first must not be remembered. */
    @Test
    void workersKnowNothingOfWhoStartedThem() throws Exception {
        Set<ClassLoader> loaders = ConcurrentHashMap.newKeySet();
        try (Engine engine = TestBackends.open(THREADS)) {
            ClassLoader own = new ClassLoader("the first caller's", getClass().getClassLoader()) {
            };
            Thread caller = Thread.ofPlatform().unstarted(() -> {
                try (Gpt model = models.loadGpt(engine)) {
                    write(model);
                    Waiting.libraryThreads().forEach(thread -> loaders.add(thread.getContextClassLoader()));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            caller.setContextClassLoader(own);
            caller.start();
            caller.join();
            assertThat(loaders).isNotEmpty().doesNotContain(own);
        }
    }
}
