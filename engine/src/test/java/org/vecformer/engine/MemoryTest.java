package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.TestModels.Shape;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.DType;

/** What an engine's models and sessions hold is counted, bounded, and given back. */
@Tag("width")
class MemoryTest {

    private static final long MUCH = 1L << 30;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void write() throws IOException {
        TestModels.write(directory, Shape.ODD, 3, DType.F32);
    }

    private static Engine engine(long limit) {
        return TestBackends.open(EngineOptions.defaults().withThreads(2).withMemoryLimit(limit));
    }

    @Test
    void allThatIsHeldIsCountedAndGivenBack() throws IOException {
        try (Engine engine = engine(MUCH)) {
            assertThat(engine.memory()).isEqualTo(new MemoryUse(0, 0, 0, MUCH));
            try (Gpt model = Gpt.load(engine, directory)) {
                assertThat(engine.memory().weights()).isGreaterThanOrEqualTo(model.weightBytes());
                assertThat(engine.memory().caches()).isZero();
                MemoryUse idle = engine.memory();
                try (Session session = model.openSession(SessionOptions.defaults())) {
                    assertThat(engine.memory().caches()).isEqualTo(session.cacheBytes());
                    long opened = engine.memory().scratch();
                    assertThat(opened).isPositive();
                    session.feed(session.newSequence(), new int[]{1, 2, 3}, 0, 3);
                    // More rows of logits than before.
                    session.batch().clear();
                    session.batch().add(session.newSequence(), new int[]{1, 2, 3}, 0, 3, Logits.ALL);
                    session.step(session.batch());
                    assertThat(engine.memory().scratch()).isGreaterThan(opened);
                }
                assertThat(engine.memory()).isEqualTo(idle);
            }
            assertThat(engine.memory()).isEqualTo(new MemoryUse(0, 0, 0, MUCH));
        }
    }

    @Test
    void aModelThatWouldPassTheLimitIsRefused() {
        try (Engine engine = engine(1000)) {
            assertThatThrownBy(() -> Gpt.load(engine, directory)).isInstanceOf(MemoryLimitException.class)
                    .hasMessageContaining("the weights of the model would take")
                    .hasMessageContaining("the engine's limit is 0.1 MiB");
            assertThat(engine.memory()).isEqualTo(new MemoryUse(0, 0, 0, 1000));
        }
    }

    @Test
    void aSessionThatWouldPassTheLimitIsRefusedAndTheOthersGoOn() throws IOException {
        long weights;
        long session;
        try (Engine engine = engine(MUCH); Gpt model = Gpt.load(engine, directory)) {
            weights = engine.memory().weights();
            try (Session _ = model.openSession(SessionOptions.defaults())) {
                session = engine.memory().total() - weights;
            }
        }
        // Room for one and a half.
        try (Engine engine = engine(weights + session + session / 2); Gpt model = Gpt.load(engine, directory)) {
            try (Session first = model.openSession(SessionOptions.defaults())) {
                MemoryUse before = engine.memory();
                assertThatThrownBy(() -> model.openSession(SessionOptions.defaults()))
                        .isInstanceOf(MemoryLimitException.class).hasMessageContaining("of the session would take");
                assertThat(engine.memory()).isEqualTo(before);
                first.feed(first.newSequence(), new int[]{1, 2}, 0, 2);
            }
            model.openSession(SessionOptions.defaults()).close();
        }
    }

    /** Whichever of a step's tensors is the one that does not fit. */
    @Test
    void aStepThatIsRefusedLeavesNothingBehind() throws IOException {
        long opened;
        long wide;
        try (Engine engine = engine(MUCH);
                Gpt model = Gpt.load(engine, directory);
                Session session = model.openSession(SessionOptions.defaults())) {
            step(session, 1);
            opened = engine.memory().total();
            step(session, 5);
            wide = engine.memory().total();
        }
        for (long limit = opened; limit < wide; limit += Math.max(1, (wide - opened) / 9)) {
            try (Engine engine = engine(limit);
                    Gpt model = Gpt.load(engine, directory);
                    Session session = model.openSession(SessionOptions.defaults())) {
                step(session, 1);
                for (int i = 0; i < 20; i++) {
                    assertThatThrownBy(() -> step(session, 5)).isInstanceOf(MemoryLimitException.class);
                }
                step(session, 1);
                assertThat(engine.memory().total()).isEqualTo(opened);
            }
        }
    }

    private static void step(Session session, int rows) {
        session.batch().clear();
        try (Sequence sequence = session.newSequence()) {
            session.batch().add(sequence, new int[rows], 0, rows, Logits.ALL);
            session.step(session.batch());
        }
    }

    @Test
    void anEncodersRunThatIsRefusedLeavesNothingBehind() throws IOException {
        Path files = TestBerts.write(directory.resolve("bert"), TestBerts.Shape.ODD, "BertModel", 0, 3, DType.F32);
        long opened;
        long wide;
        try (Engine engine = engine(MUCH);
                Bert model = Bert.load(engine, files);
                EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            run(session, 1);
            opened = engine.memory().total();
            run(session, 60);
            wide = engine.memory().total();
        }
        for (long limit = opened; limit < wide; limit += Math.max(1, (wide - opened) / 9)) {
            try (Engine engine = engine(limit);
                    Bert model = Bert.load(engine, files);
                    EncoderSession session = model.openSession(EncoderOptions.defaults())) {
                for (int i = 0; i < 20; i++) {
                    assertThatThrownBy(() -> run(session, 60)).isInstanceOf(MemoryLimitException.class);
                }
                run(session, 1);
                assertThat(engine.memory().total()).isEqualTo(opened);
            }
        }
    }

    private static void run(EncoderSession session, int tokens) {
        session.batch().clear();
        session.batch().add(EncoderInput.of(new int[tokens]));
        session.run(session.batch());
    }

    @Test
    void byDefaultTheMachineIsTheLimit() {
        try (Engine engine = Engine.create(EngineOptions.defaults())) {
            assertThat(engine.memory().limit()).isBetween(1L << 20, Long.MAX_VALUE - 1);
        }
        assertThatThrownBy(() -> EngineOptions.defaults().withMemoryLimit(-1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
    }
}
