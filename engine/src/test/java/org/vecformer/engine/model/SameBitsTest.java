package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.TestModels.Names;
import org.vecformer.engine.TestModels.Shape;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/**
 * A sequence's numbers have the same bits alone and in a batch, however its prompt is split, cached or not, on any
 * number of threads, on vector kernels of every width (one run of this class each) and on scalar kernels.
 */
@Tag("width")
class SameBitsTest {

    private static final int LENGTH = 67;

    @TempDir
    static Path folder;

    private static Engine oneThread;
    private static Engine threeThreads;
    private static Engine scalar;
    private static final List<Gpt> models = new ArrayList<>();

    /** A model on several engines; the first is the one that results are compared with. */
    private record Twins(String name, Gpt reference, List<Gpt> others) {}

    private static final List<Twins> twins = new ArrayList<>();

    @BeforeAll
    static void open() throws IOException {
        oneThread = TestBackends.open(1);
        threeThreads = TestBackends.open(3);
        scalar = TestBackends.openScalar();
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
            for (Shape shape : List.of(Shape.ODD, Shape.EVEN)) {
                addTwins(TestModels.write(folder.resolve(dtype + "-" + shape.hidden()), shape, 7, dtype));
            }
        }
        addTwins(TestModels.writeOpenAi(folder.resolve("OpenAI GPT"), Shape.ODD, 7, DType.F32, Names.NEW));
    }

    private static void addTwins(Path directory) throws IOException {
        twins.add(new Twins(directory.getFileName().toString(), load(scalar, directory),
                List.of(load(oneThread, directory), load(threeThreads, directory))));
    }

    private static Gpt load(Engine engine, Path directory) throws IOException {
        Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
        models.add(model);
        return model;
    }

    @AfterAll
    static void close() {
        models.forEach(Gpt::close);
        List.of(oneThread, threeThreads, scalar).forEach(Engine::close);
    }

    private static int[] ids(Gpt model, int length, long seed) {
        return new Random(seed).ints(length, 0, model.config().vocabularySize()).toArray();
    }

    /** Logits of every row, from one step. */
    private static float[][] alone(Gpt model, int[] ids) {
        return split(model, ids, ids.length);
    }

    /** Logits of every row, the ids given in steps that end at the given points. */
    private static float[][] split(Gpt model, int[] ids, int... ends) {
        float[][] logits = new float[ids.length][model.outputs()];
        try (Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            int from = 0;
            for (int end : ends) {
                session.batch().clear();
                session.batch().add(sequence, ids, from, end, Logits.ALL);
                session.step(session.batch());
                for (int i = from; i < end; i++) {
                    session.logits(i - from, logits[i]);
                }
                from = end;
            }
        }
        return logits;
    }

    private static void assertSame(float[][] expected, float[][] actual, String what) {
        for (int row = 0; row < expected.length; row++) {
            for (int i = 0; i < expected[row].length; i++) {
                if (expected[row][i] != actual[row][i]) {
                    assertThat(actual[row][i]).as("%s, row %d, logit %d", what, row, i).isEqualTo(expected[row][i]);
                }
            }
        }
    }

    @Test
    void threadsWidthsAndScalar() {
        for (Twins t : twins) {
            int[] ids = ids(t.reference, LENGTH, 1);
            float[][] expected = alone(t.reference, ids);
            assertThat(expected[LENGTH - 1]).doesNotContain(Float.NaN);
            for (Gpt other : t.others) {
                assertSame(expected, alone(other, ids), t.name + " on " + other.engine().description());
            }
        }
    }

    @Test
    void promptSplitAtEveryPoint() {
        for (Twins t : twins) {
            Gpt model = t.others.getLast();
            int[] ids = ids(model, LENGTH, 2);
            float[][] expected = alone(model, ids);
            for (int point = 1; point < LENGTH; point++) {
                assertSame(expected, split(model, ids, point, LENGTH), t.name + " split at " + point);
            }
        }
    }

    @Test
    void tokenByToken() {
        for (Twins t : twins) {
            for (Gpt model : t.others) {
                int[] ids = ids(model, LENGTH, 3);
                int[] ends = new int[LENGTH];
                Arrays.setAll(ends, i -> i + 1);
                assertSame(alone(model, ids), split(model, ids, ends), t.name + " token by token");
            }
        }
    }

    /** Sequences of different lengths, some in the middle of their text, some at the start, in batches of any mix. */
    @Test
    void aloneAndInABatch() {
        for (Twins t : twins) {
            for (Gpt model : t.others) {
                int[][] all = new int[6][];
                float[][][] expected = new float[6][][];
                for (int s = 0; s < 6; s++) {
                    all[s] = ids(model, 5 + 12 * s, 10 + s);
                    expected[s] = alone(model, all[s]);
                }
                Random random = new Random(4);
                try (Session session = model.openSession(new SessionOptions(600, 50))) {
                    Sequence[] sequences = new Sequence[6];
                    Arrays.setAll(sequences, _ -> session.newSequence());
                    float[] row = new float[model.outputs()];
                    for (boolean more = true; more;) {
                        more = false;
                        session.batch().clear();
                        List<int[]> asked = new ArrayList<>();
                        for (int s = 0; s < 6; s++) {
                            int from = sequences[s].length();
                            int count = Math.min(Math.min(all[s].length - from, random.nextInt(14)),
                                    session.batch().room());
                            more |= from < all[s].length;
                            if (count > 0) {
                                session.batch().add(sequences[s], all[s], from, from + count, Logits.ALL);
                                for (int i = from; i < from + count; i++) {
                                    asked.add(new int[]{s, i});
                                }
                            }
                        }
                        if (asked.isEmpty()) {
                            continue;
                        }
                        session.step(session.batch());
                        assertThat(session.logitsRows()).isEqualTo(asked.size());
                        for (int i = 0; i < asked.size(); i++) {
                            session.logits(i, row);
                            int[] at = asked.get(i);
                            assertSame(new float[][]{expected[at[0]][at[1]]}, new float[][]{row},
                                    t.name + " sequence " + at[0]);
                        }
                    }
                }
            }
        }
    }

    /** Attention probabilities are those of a softmax, and asking for them changes nothing. */
    @Test
    void attentionTrace() {
        for (Twins t : twins) {
            Gpt model = t.others.getLast();
            int[] ids = ids(model, 40, 5);
            float[][] expected = alone(model, ids);
            float[][][][] attentions = new float[model.config().layers()][model.config().heads()][40][];
            float[] last = new float[model.outputs()];
            try (Session session = model.openSession(SessionOptions.defaults());
                    Sequence sequence = session.newSequence()) {
                session.trace(new Trace() {
                    @Override
                    public boolean wantsAttention() {
                        return true;
                    }

                    @Override
                    public void attention(int block, int head, int row, float[] probabilities) {
                        attentions[block][head][row] = probabilities;
                    }
                });
                session.batch().add(sequence, ids, 0, 40, Logits.LAST);
                session.step(session.batch());
                session.logits(0, last);
            }
            assertSame(new float[][]{expected[39]}, new float[][]{last}, t.name + " with a trace");
            for (float[][][] block : attentions) {
                for (float[][] head : block) {
                    for (int row = 0; row < 40; row++) {
                        assertThat(head[row]).hasSize(row + 1);
                        double sum = 0;
                        for (float p : head[row]) {
                            assertThat(p).isBetween(0f, 1f);
                            sum += p;
                        }
                        assertThat(sum).isCloseTo(1, Offset.offset(1e-5));
                    }
                }
            }
        }
    }
}
