package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.sampler.LogSoftmax;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** What can be asked of a session's logits without copying them. */
class SessionLogitsTest {

    @Test
    void agreesWithTheWholeRows(@TempDir Path directory) throws IOException {
        TestModels.write(directory, TestModels.Shape.ODD, 5, DType.F32);
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            assertThat(session.logitsAreRemote()).isFalse();
            assertThatThrownBy(() -> session.argMax(0)).isInstanceOf(IndexOutOfBoundsException.class);
            // One row, more rows, fewer again: what was found of the step before must be forgotten.
            for (int rows : new int[]{1, 5, 2, 9, 1}) {
                session.batch().clear();
                session.batch().add(sequence, IntStream.range(sequence.length(), sequence.length() + rows)
                        .map(i -> i * 37 % 101).toArray(), 0, rows, Logits.ALL);
                session.step(session.batch());
                for (int row = 0; row < rows; row++) {
                    check(session, row, model.outputs());
                }
                assertThatThrownBy(() -> session.argMax(rows)).isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> session.topK(rows, 1, new int[1], new float[1]))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> session.logSumExp(-1)).isInstanceOf(IndexOutOfBoundsException.class);
            }
            assertThatIllegalArgumentException().isThrownBy(() -> session.topK(0, 0, new int[1], new float[1]))
                    .withMessageContaining("0");
            assertThatThrownBy(() -> session.topK(0, 3, new int[3], new float[2]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    private static void check(Session session, int row, int size) {
        float[] logits = new float[size];
        session.logits(row, logits);
        List<Integer> sorted = IntStream.range(0, size).boxed().sorted(Comparator.comparing(id -> -logits[id]))
                .toList();
        assertThat(session.argMax(row)).isEqualTo(sorted.getFirst());
        for (int k : new int[]{1, 7, size, size + 5}) {
            int[] ids = new int[Math.min(k, size)];
            float[] values = new float[ids.length];
            assertThat(session.topK(row, k, ids, values)).isEqualTo(ids.length);
            for (int i = 0; i < ids.length; i++) {
                assertThat(ids[i]).isEqualTo(sorted.get(i));
                assertThat(values[i]).isEqualTo(logits[ids[i]]);
            }
        }
        assertThat(session.logSumExp(row)).isEqualTo(LogSoftmax.logSumExp(logits, size));
    }
}
