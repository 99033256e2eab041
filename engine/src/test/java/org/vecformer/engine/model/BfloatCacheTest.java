package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Keys and values in bfloat16: half of the memory, nearly the same logits, and the same bits however a text is fed. */
@Tag("width")
class BfloatCacheTest {

    private static final SessionOptions FLOATS = new SessionOptions(0, 64);
    private static final SessionOptions BFLOATS = FLOATS.withCacheType(WeightType.BF16);
    /** What {@link SessionOptions} states. */
    private static final double STATED_ERROR = 0.011;

    @TempDir
    private Path directory;

    @Test
    void theBitsDoNotDependOnHowATextIsFed() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 3, DType.F32);
        int[] ids = new SplittableRandom(1).ints(90, 0, 257).toArray();
        try (Engine engine = TestBackends.open(3);
                Engine scalar = TestBackends.openScalar();
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Gpt plain = Gpt.load(scalar, ModelFiles.of(directory), LoadOptions.defaults())) {
            float[] expected = logits(model, BFLOATS, ids, 64);
            assertThat(logits(model, BFLOATS, ids, 1)).isEqualTo(expected);
            assertThat(logits(model, BFLOATS, ids, 7)).isEqualTo(expected);
            assertThat(logits(plain, BFLOATS, ids, 33)).isEqualTo(expected);
            assertThat(logits(model, FLOATS, ids, 64)).isNotEqualTo(expected);
        }
    }

    @Test
    void aForkGoesOnFromTheSameCache() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 3, DType.F32);
        int[] ids = new SplittableRandom(2).ints(50, 0, 257).toArray();
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session session = model.openSession(BFLOATS.withCacheTokens(512));
                Sequence original = session.newSequence()) {
            session.feed(original, ids, 0, 40);
            float[] expected = new float[model.outputs()];
            float[] actual = new float[model.outputs()];
            try (Sequence copy = original.fork()) {
                session.feed(original, ids, 40, 50);
                session.logits(0, expected);
                session.feed(copy, ids, 40, 50);
                session.logits(0, actual);
            }
            assertThat(actual).isEqualTo(expected);
        }
    }

    @Test
    void itTakesHalfOfTheMemory() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 3, DType.F32);
        try (Engine engine = TestBackends.open(1);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session floats = model.openSession(FLOATS);
                Session bfloats = model.openSession(BFLOATS)) {
            assertThat(2 * bfloats.cacheBytes()).isEqualTo(floats.cacheBytes());
        }
        assertThatThrownBy(() -> FLOATS.withCacheType(WeightType.INT8)).hasMessageContaining("expected F32 or BF16");
    }

    @Test
    void theErrorIsWhatIsStated() throws IOException {
        Path folder = Oracle.shared("models/storyteller");
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults())) {
            int[] ids = new SplittableRandom(3).ints(500, 0, model.outputs()).toArray();
            float[] exact = logits(model, FLOATS, ids, 64);
            float[] rounded = logits(model, BFLOATS, ids, 64);
            double worst = 0;
            for (int i = 0; i < exact.length; i++) {
                worst = Math.max(worst, Math.abs(exact[i] - rounded[i]));
            }
            assertThat(worst).isBetween(1e-4, STATED_ERROR);
        }
    }

    /** The logits behind each part of the text, one after the other. */
    private static float[] logits(Gpt model, SessionOptions options, int[] ids, int step) {
        int rows = ids.length;
        float[] all = new float[rows * model.outputs()];
        float[] row = new float[model.outputs()];
        try (Session session = model.openSession(options); Sequence sequence = session.newSequence()) {
            for (int from = 0; from < rows; from += step) {
                int to = Math.min(rows, from + step);
                session.batch().clear();
                session.batch().add(sequence, ids, from, to, Logits.ALL);
                session.step(session.batch());
                for (int i = from; i < to; i++) {
                    session.logits(i - from, row);
                    System.arraycopy(row, 0, all, i * row.length, row.length);
                }
            }
        }
        return all;
    }
}
