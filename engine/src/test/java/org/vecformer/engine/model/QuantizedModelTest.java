package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.QuantizedModels;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Quantization;

/**
 * A quantized model, made while it is loaded or read from a converted file, gives the same bits as the float32 model of
 * the numbers that its integers and scales stand for.
 */
@Tag("width")
class QuantizedModelTest {

    private static final int LENGTH = 37;

    @TempDir
    private Path folder;

    private static Engine engine;
    private static Engine scalar;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(3);
        scalar = TestBackends.openScalar();
    }

    @AfterAll
    static void close() {
        engine.close();
        scalar.close();
    }

    /** Logits of all rows of a prompt, of a text token by token, and of three texts at once. */
    private static List<float[]> numbers(Gpt model) {
        Random random = new Random(5);
        int[] ids = random.ints(LENGTH, 0, model.config().vocabularySize()).toArray();
        List<float[]> all = new ArrayList<>();
        try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(5L * 96))) {
            step(session, all, List.of(session.newSequence()), ids, 0, LENGTH);
            Sequence slow = session.newSequence();
            for (int i = 0; i < 5; i++) {
                step(session, all, List.of(slow), ids, i, i + 1);
            }
            List<Sequence> several = List.of(session.newSequence(), session.newSequence(), session.newSequence());
            step(session, all, several, ids, 0, 7);
            step(session, all, several, ids, 7, 8);
        }
        return all;
    }

    private static void step(Session session, List<float[]> all, List<Sequence> sequences, int[] ids, int from,
            int to) {
        session.batch().clear();
        for (Sequence sequence : sequences) {
            session.batch().add(sequence, ids, from, to, Logits.ALL);
        }
        session.step(session.batch());
        for (int row = 0; row < sequences.size() * (to - from); row++) {
            all.add(new float[session.model().outputs()]);
            session.logits(row, all.getLast());
        }
    }

    private static List<float[]> numbers(Bert model) {
        List<float[]> all = new ArrayList<>();
        Random random = new Random(6);
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            for (int length : new int[]{1, 2, LENGTH}) {
                session.batch().clear();
                session.batch().add(new EncoderInput(random.ints(length, 0, model.config().vocabularySize()).toArray(),
                        new int[length], null), length - 1);
                session.run(session.batch());
                for (int i = 0; i < length; i++) {
                    all.add(new float[model.config().hiddenSize()]);
                    session.hidden(0, i, all.getLast());
                }
                all.add(new float[2]);
                session.nextSentence(0, all.getLast());
                all.add(new float[model.config().vocabularySize()]);
                session.vocabularyLogits(0, length - 1, all.getLast());
            }
        }
        return all;
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual, String what) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).as("%s, row %d", what, i).isEqualTo(expected.get(i));
            assertThat(expected.get(i)).doesNotContain(Float.NaN);
        }
    }

    private static List<float[]> gpt2(Engine on, Path directory, WeightType asked, WeightType kept)
            throws IOException {
        try (Gpt model = Gpt.load(on, ModelFiles.of(directory), LoadOptions.defaults().withWeights(asked))) {
            assertThat(model.weights()).isEqualTo(kept);
            return numbers(model);
        }
    }

    private static List<float[]> bert(Engine on, Path directory, WeightType asked, WeightType kept)
            throws IOException {
        try (Bert model = Bert.load(on, ModelFiles.of(directory), LoadOptions.defaults().withWeights(asked))) {
            assertThat(model.weights()).isEqualTo(kept);
            return numbers(model);
        }
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void gpt2(Quantization quantization) throws IOException {
        WeightType type = WeightType.valueOf(quantization.name());
        // Of the second one's matrices some cannot be quantized: their inputs are no multiple of 32.
        for (TestModels.Shape shape : List.of(TestModels.Shape.EVEN, new TestModels.Shape(101, 70, 96, 2, 3, 100))) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                String name = shape.hidden() + "-" + dtype;
                Path source = TestModels.write(folder.resolve(name), shape, 3, dtype);
                Path converted = QuantizedModels.convert(source, folder.resolve(name + "-q"), quantization);
                Path exact = QuantizedModels.dequantize(converted, folder.resolve(name + "-f"));
                List<float[]> expected = gpt2(scalar, exact, WeightType.F32, WeightType.F32);
                assertSame(expected, gpt2(engine, exact, WeightType.F32, WeightType.F32), name + " float32");
                assertSame(expected, gpt2(engine, source, type, type), name + " quantized as it was loaded");
                assertSame(expected, gpt2(scalar, source, type, type), name + " the same, scalar");
                assertSame(expected, gpt2(engine, converted, null, type), name + " converted");
                assertSame(expected, gpt2(engine, converted, type, type), name + " converted, the type named");
                assertSame(expected, gpt2(engine, converted, WeightType.F32, WeightType.F32), name + " as float32");
                for (WeightType other : List.of(WeightType.BF16, WeightType.F16,
                        type == WeightType.INT8 ? WeightType.INT4 : WeightType.INT8)) {
                    assertSame(gpt2(scalar, exact, other, other), gpt2(engine, converted, other, other),
                            name + " as " + other);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void bert(Quantization quantization) throws IOException {
        WeightType type = WeightType.valueOf(quantization.name());
        for (TestBerts.Shape shape : List.of(TestBerts.Shape.EVEN, new TestBerts.Shape(101, 70, 96, 2, 3, 100))) {
            String name = "bert-" + shape.hidden();
            Path source = TestBerts.write(folder.resolve(name), shape, "BertForPreTraining", 0, 4, DType.F32);
            Path converted = QuantizedModels.convert(source, folder.resolve(name + "-q"), quantization);
            Path exact = QuantizedModels.dequantize(converted, folder.resolve(name + "-f"));
            List<float[]> expected = bert(scalar, exact, WeightType.F32, WeightType.F32);
            assertSame(expected, bert(engine, exact, WeightType.F32, WeightType.F32), name + " float32");
            assertSame(expected, bert(engine, source, type, type), name + " quantized as it was loaded");
            assertSame(expected, bert(scalar, source, type, type), name + " the same, scalar");
            assertSame(expected, bert(engine, converted, null, type), name + " converted");
            assertSame(expected, bert(engine, converted, WeightType.F32, WeightType.F32), name + " as float32");
        }
    }
}
