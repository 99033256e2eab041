package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.TestBerts.Shape;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/**
 * What a sequence gives has the same bits alone and in a batch, with padding and without, on any number of threads, on
 * vector kernels of every width (one run of this class each) and on scalar kernels.
 */
@Tag("width")
class BertSameBitsTest {

    @TempDir
    static Path folder;

    private static Engine scalar;
    private static final List<Engine> tested = new ArrayList<>();
    private static final List<Path> directories = new ArrayList<>();

    @BeforeAll
    static void open() throws IOException {
        scalar = TestBackends.openScalar();
        tested.add(TestBackends.open(1));
        tested.add(TestBackends.open(3));
        for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
            for (Shape shape : List.of(Shape.ODD, Shape.EVEN)) {
                directories.add(TestBerts.write(folder.resolve(dtype + "-" + shape.hidden()), shape,
                        "BertForPreTraining", 0, 11, dtype));
            }
        }
    }

    @AfterAll
    static void close() {
        scalar.close();
        tested.forEach(Engine::close);
    }

    /** The last states of every token, the pooled state, the next-sentence logits and the logits of some tokens. */
    private static List<float[]> numbers(EncoderSession session, int sequence, int length, int... vocabularyAt) {
        Bert model = session.model();
        List<float[]> all = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            all.add(new float[model.config().hiddenSize()]);
            session.hidden(sequence, i, all.getLast());
        }
        all.add(new float[model.config().hiddenSize()]);
        session.pooled(sequence, all.getLast());
        all.add(new float[2]);
        session.nextSentence(sequence, all.getLast());
        for (int position : vocabularyAt) {
            all.add(new float[model.config().vocabularySize()]);
            session.vocabularyLogits(sequence, position, all.getLast());
        }
        return all;
    }

    private static List<float[]> alone(Bert model, EncoderInput input, int... vocabularyAt) {
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            session.batch().add(input, vocabularyAt);
            session.run(session.batch());
            return numbers(session, 0, input.length(), vocabularyAt);
        }
    }

    private static EncoderInput random(Bert model, int length, Random random) {
        int second = random.nextInt(length + 1);
        return new EncoderInput(random.ints(length, 0, model.config().vocabularySize()).toArray(),
                IntStream.range(0, length).map(i -> i < second ? 0 : 1).toArray(), null);
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual, String what) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).as("%s, row %d", what, i).isEqualTo(expected.get(i));
            assertThat(expected.get(i)).doesNotContain(Float.NaN);
        }
    }

    private static Bert load(Engine engine, Path directory) throws IOException {
        return Bert.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    @Test
    void threadsWidthsAndScalar() throws IOException {
        for (Path directory : directories) {
            try (Bert reference = load(scalar, directory)) {
                EncoderInput input = random(reference, 67, new Random(1));
                List<float[]> expected = alone(reference, input, 0, 33, 66);
                for (Engine engine : tested) {
                    try (Bert model = load(engine, directory)) {
                        assertSame(expected, alone(model, input, 0, 33, 66),
                                directory.getFileName() + " on " + engine.description());
                    }
                }
            }
        }
    }

    @Test
    void aloneAndInBatchesOfAnyMix() throws IOException {
        for (Path directory : directories) {
            try (Bert model = load(tested.getLast(), directory);
                    EncoderSession session = model.openSession(new EncoderOptions(230))) {
                Random random = new Random(2);
                for (int round = 0; round < 4; round++) {
                    session.batch().clear();
                    List<EncoderInput> inputs = new ArrayList<>();
                    for (EncoderInput input = random(model, 1 + random.nextInt(70), random); session.batch()
                            .fits(input.length()); input = random(model, 1 + random.nextInt(70), random)) {
                        session.batch().add(input, input.length() - 1);
                        inputs.add(input);
                    }
                    assertThat(inputs).hasSizeGreaterThan(2);
                    session.run(session.batch());
                    for (int s = 0; s < inputs.size(); s++) {
                        int last = inputs.get(s).length() - 1;
                        assertSame(alone(model, inputs.get(s), last), numbers(session, s, last + 1, last),
                                directory.getFileName() + " sequence " + s);
                    }
                }
            }
        }
    }

    /** Tokens that are not attended to, at the end or in the middle, change nothing but positions. */
    @Test
    void paddingChangesNothing() throws IOException {
        for (Path directory : directories) {
            try (Bert model = load(tested.getFirst(), directory)) {
                EncoderInput input = random(model, 40, new Random(3));
                List<float[]> expected = alone(model, input, 7);
                int[] mask = new int[64];
                Arrays.fill(mask, 0, 40, 1);
                EncoderInput padded = new EncoderInput(Arrays.copyOf(input.ids(), 64),
                        Arrays.copyOf(input.typeIds(), 64), mask);
                List<float[]> actual = alone(model, padded, 7);
                assertSame(expected.subList(0, 40), actual.subList(0, 40), directory.getFileName() + " padded");
                assertSame(expected.subList(40, expected.size()), actual.subList(64, actual.size()),
                        directory.getFileName() + " padded, heads");
                assertThat(actual.get(50)).containsOnly(0);
                // What a hidden token is makes no difference either.
                int[] hole = input.attentionMask().clone();
                hole[20] = 0;
                List<float[]> one = alone(model, new EncoderInput(input.ids(), input.typeIds(), hole), 7);
                List<float[]> other = alone(model,
                        new EncoderInput(input.with(20, 3).ids(), input.typeIds(), hole), 7);
                assertSame(one, other, directory.getFileName() + " with a hole");
                assertThat(one.getFirst()).isNotEqualTo(expected.getFirst());
            }
        }
    }

    /** Attention probabilities are those of a softmax over all tokens, and asking for them changes nothing. */
    @Test
    void attentionTrace() throws IOException {
        for (Path directory : directories) {
            try (Bert model = load(tested.getLast(), directory);
                    EncoderSession session = model.openSession(EncoderOptions.defaults())) {
                EncoderInput input = random(model, 45, new Random(5));
                float[][][][] attentions = new float[model.config().layers()][model.config().heads()][45][];
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
                session.batch().add(input);
                session.run(session.batch());
                assertSame(alone(model, input), numbers(session, 0, 45), directory.getFileName() + " with a trace");
                for (float[][][] block : attentions) {
                    for (float[][] head : block) {
                        for (float[] row : head) {
                            assertThat(row).hasSize(45);
                            double sum = 0;
                            for (float p : row) {
                                sum += p;
                            }
                            assertThat(sum).isCloseTo(1, Offset.offset(1e-5));
                        }
                    }
                }
            }
        }
    }

    @Test
    void everyHeadOfTheModelIsThere() throws IOException {
        try (Bert model = load(scalar, directories.getFirst())) {
            assertThat(model.heads()).containsExactly(Head.MASKED_LM, Head.NEXT_SENTENCE);
        }
    }
}
