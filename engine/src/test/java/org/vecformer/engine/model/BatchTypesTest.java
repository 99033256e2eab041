package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Token types in a batch, of which some sequences have none. */
class BatchTypesTest {

    private static final int[] IDS = new Random(1).ints(20, 0, 101).toArray();
    private static final int[] TYPES = new Random(2).ints(20, 0, 101).toArray();

    @TempDir
    private static Path directory;
    private static Engine engine;
    private static Gpt model;
    private Session session;
    private Batch batch;

    @BeforeAll
    static void load() throws IOException {
        TestModels.write(directory, TestModels.Shape.ODD, 5, DType.F32);
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
        session = model.openSession(SessionOptions.defaults().withCacheTokens(200));
        batch = session.batch();
    }

    @AfterEach
    void closeSession() {
        session.close();
    }

    @Test
    void typesAreThoseOfTheSameIndices() {
        float[][] plain = oneStep(null);
        float[][] typed = oneStep(TYPES);
        assertThat(typed[19]).isNotEqualTo(plain[19]);

        // In steps of other sizes, in one batch with a sequence that has no types, and after it in the same rows.
        try (Sequence one = session.newSequence(); Sequence other = session.newSequence()) {
            for (int from = 0; from < 20; from += 5) {
                batch.clear();
                batch.add(from % 2 == 0 ? one : other, IDS, from % 2 == 0 ? TYPES : null, from, from + 5, Logits.ALL);
                batch.add(from % 2 == 0 ? other : one, IDS, from % 2 == 0 ? null : TYPES, from, from + 5, Logits.ALL);
                session.step(batch);
                for (int i = 0; i < 5; i++) {
                    assertThat(logits(i)).isEqualTo((from % 2 == 0 ? typed : plain)[from + i]);
                    assertThat(logits(5 + i)).isEqualTo((from % 2 == 0 ? plain : typed)[from + i]);
                }
            }
        }
    }

    /** A type is a token's embedding added to the others: token a with type b is token b with type a. */
    @Test
    void aTypeIsAnEmbedding() {
        float[][] typed = oneStep(TYPES);
        try (Sequence sequence = session.newSequence()) {
            batch.clear();
            batch.add(sequence, TYPES, IDS, 0, 20, Logits.ALL);
            session.step(batch);
            for (int i = 0; i < 20; i++) {
                assertThat(logits(i)).usingComparatorWithPrecision(1e-4f).containsExactly(typed[i]);
            }
        }
    }

    @Test
    void typesOutsideTheVocabularyAreRefusedAndNothingIsAdded() {
        try (Sequence sequence = session.newSequence()) {
            batch.clear();
            for (int bad : new int[]{-1, 101, Integer.MIN_VALUE}) {
                int[] types = TYPES.clone();
                types[3] = bad;
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> batch.add(sequence, IDS, types, 0, 4, Logits.LAST))
                        .withMessageContaining("token id " + bad);
                assertThat(batch.rows()).isZero();
                batch.add(sequence, IDS, types, 0, 3, Logits.LAST);
                batch.clear();
            }
            assertThatThrownBy(() -> batch.add(sequence, IDS, Arrays.copyOf(TYPES, 3), 0, 4, Logits.LAST))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(batch.rows()).isZero();
        }
    }

    private float[][] oneStep(int[] types) {
        try (Sequence sequence = session.newSequence()) {
            batch.clear();
            batch.add(sequence, IDS, types, 0, 20, Logits.ALL);
            session.step(batch);
            float[][] rows = new float[20][];
            for (int i = 0; i < 20; i++) {
                rows[i] = logits(i);
            }
            return rows;
        }
    }

    private float[] logits(int row) {
        float[] logits = new float[model.outputs()];
        session.logits(row, logits);
        return logits;
    }
}
