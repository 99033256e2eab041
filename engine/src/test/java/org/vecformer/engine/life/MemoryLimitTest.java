package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.MemoryUse;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.TextGenerator;

/** What an engine says that it holds, and what it refuses to hold. */
class MemoryLimitTest {

    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(8);

    @TempDir
    static Path directory;
    private static TinyModels models;

    @BeforeAll
    static void write() throws IOException {
        models = TinyModels.write(directory);
    }

    private static Engine limited(long bytes) {
        return Engine.create(EngineOptions.defaults().withBackend(TestBackends.tested()).withThreads(2)
                .withMemoryLimit(bytes));
    }

    @Test
    void allThatIsOpenedIsCountedAndGivenBack() throws IOException {
        try (Engine engine = TestBackends.open(2)) {
            MemoryUse start = engine.memory();
            assertThat(start.total()).isZero();
            try (Gpt gpt = models.loadGpt(engine)) {
                assertThat(engine.memory().weights()).isGreaterThanOrEqualTo(gpt.weightBytes());
                try (Bert bert = models.loadBert(engine)) {
                    assertThat(engine.memory().weights())
                            .isGreaterThanOrEqualTo(gpt.weightBytes() + bert.weightBytes());
                    MemoryUse loaded = engine.memory();
                    assertThat(loaded.caches()).isZero();
                    try (Session session = gpt.openSession(SessionOptions.defaults())) {
                        assertThat(engine.memory().caches()).isEqualTo(session.cacheBytes());
                        assertThat(engine.memory().scratch()).isGreaterThan(loaded.scratch());
                        try (EncoderSession _ = bert.openSession(EncoderOptions.defaults())) {
                            assertThat(engine.memory().scratch()).isGreaterThan(loaded.scratch());
                        }
                    }
                    assertThat(engine.memory()).isEqualTo(loaded);
                }
                assertThat(engine.memory().weights()).isGreaterThanOrEqualTo(gpt.weightBytes());
            }
            assertThat(engine.memory()).isEqualTo(start);
        }
    }

    @Test
    void aModelThatDoesNotFitIsRefused() throws IOException {
        long needed;
        try (Engine engine = TestBackends.open(2); Gpt _ = models.loadGpt(engine)) {
            needed = engine.memory().weights();
        }
        try (Engine engine = limited(needed - 1)) {
            assertThat(engine.memory().limit()).isEqualTo(needed - 1);
            assertThatThrownBy(() -> models.loadGpt(engine)).isInstanceOf(MemoryLimitException.class)
                    .hasMessageContaining("the weights of the model would take").hasMessageContaining("limit is");
            assertThat(engine.memory().total()).isZero();
        }
        try (Engine engine = limited(needed); Gpt _ = models.loadGpt(engine)) {
            assertThatThrownBy(() -> models.loadBert(engine)).isInstanceOf(MemoryLimitException.class);
            assertThat(engine.memory().weights()).isEqualTo(needed);
        }
    }

    @Test
    void aSessionThatDoesNotFitIsRefusedAndTheOthersGoOn() throws IOException {
        long loaded;
        long opened;
        String expected;
        try (Engine engine = TestBackends.open(2); Gpt model = models.loadGpt(engine)) {
            loaded = engine.memory().total();
            try (TextGenerator generator = TextGenerator.open(model, models.gptTokenizer())) {
                expected = generator.generate("Hello", OPTIONS, TokenListener.NONE).text();
                opened = engine.memory().total();
            }
        }
        try (Engine engine = limited(loaded); Gpt model = models.loadGpt(engine)) {
            assertThatThrownBy(() -> TextGenerator.open(model, models.gptTokenizer()))
                    .isInstanceOf(MemoryLimitException.class);
            assertThat(engine.memory().total()).isEqualTo(loaded);
        }
        try (Engine engine = limited(opened + (opened - loaded) / 2); Gpt model = models.loadGpt(engine)) {
            // Hundreds of refusals leak nothing, and what is closed makes room.
            for (int i = 0; i < 200; i++) {
                try (TextGenerator generator = TextGenerator.open(model, models.gptTokenizer())) {
                    assertThatThrownBy(() -> TextGenerator.open(model, models.gptTokenizer()))
                            .isInstanceOf(MemoryLimitException.class);
                    // More sequences take a larger cache than there is room for; the generator is as it was.
                    assertThatThrownBy(() -> generator.generate("Hello", OPTIONS
                            .withStrategy(DecodingStrategy.random(1)).withReturnSequences(50), TokenListener.NONE))
                            .isInstanceOf(MemoryLimitException.class);
                    assertThat(generator.generate("Hello", OPTIONS, TokenListener.NONE).text()).isEqualTo(expected);
                    assertThat(engine.memory().total()).isEqualTo(opened);
                }
                assertThat(engine.memory().total()).isEqualTo(loaded);
            }
        }
    }

    /** Memory that the engine knows of grows when it is used: a session's logits, a device's buffers. */
    @Test
    void whatAGenerationTakesOnTheWayIsCountedToo() throws IOException {
        try (Engine engine = TestBackends.open(2); Gpt model = models.loadGpt(engine)) {
            MemoryUse loaded = engine.memory();
            try (TextGenerator generator = TextGenerator.open(model, models.gptTokenizer())) {
                MemoryUse opened = engine.memory();
                generator.generate("Hello", OPTIONS.withStrategy(DecodingStrategy.random(1)).withReturnSequences(20),
                        TokenListener.NONE);
                assertThat(engine.memory().caches()).isGreaterThan(opened.caches());
                assertThat(engine.memory().scratch()).isGreaterThan(opened.scratch());
            }
            assertThat(engine.memory()).isEqualTo(loaded);
        }
    }
}
