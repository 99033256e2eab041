package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.TestModels.Shape;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** Models on a device: as on the CPU, the same again each time, and nothing left behind. */
@Tag("opencl")
class OpenClModelTest {

    private static final float BOUND = 2e-4f;
    private static final int REPETITIONS = 100;

    @TempDir
    static Path folder;

    private static Engine device;
    private static Engine cpu;
    private static Path odd;
    private static Path even;

    @BeforeAll
    static void open() throws IOException {
        device = openDevice();
        cpu = TestBackends.openScalar();
        odd = TestModels.write(folder.resolve("odd"), Shape.ODD, 7, DType.F32);
        even = TestModels.write(folder.resolve("even"), Shape.EVEN, 7, DType.F32);
    }

    private static Engine openDevice() {
        return Engine.create(EngineOptions.defaults().withThreads(2).withDevice(TestDevices.choiceOrSkip()));
    }

    /** Each test has closed what it opened. */
    @AfterAll
    static void close() {
        if (device != null) {
            LiveObjects live = live(device);
            assertThat(live).isEqualTo(new LiveObjects(0, live.programs(), 0, 0, 0, 0));
            device.close();
            cpu.close();
        }
    }

    private static LiveObjects live(Engine engine) {
        return ((OpenClBackend) engine.compute()).live();
    }

    /** A device's queue is one thread's, though the rows of logits are many and the engine has several threads. */
    @Test
    void scoresAreThoseOfTheCpu() throws IOException {
        // A row takes long enough for the threads to meet.
        Shape shape = new Shape(20011, 96, 32, 1, 2, 64);
        Path wide = TestModels.write(folder.resolve("wide"), shape, 7, DType.F32);
        int[] ids = new Random(5).ints(shape.context(), 0, shape.vocabulary()).toArray();
        try (Gpt expected = load(cpu, wide, WeightType.F32);
                Gpt actual = load(device, wide, WeightType.F32);
                Scorer cpuScorer = Scorer.open(expected, null);
                Scorer deviceScorer = Scorer.open(actual, null)) {
            double[] logprobs = cpuScorer.score(ids, ScoringOptions.defaults()).logprobs();
            for (int i = 0; i < 20; i++) {
                double[] again = deviceScorer.score(ids, ScoringOptions.defaults()).logprobs();
                for (int j = 1; j < ids.length; j++) {
                    assertThat(again[j]).as("token %d", j).isCloseTo(logprobs[j], Offset.offset(1e-4));
                }
            }
        }
    }

    private static Gpt load(Engine engine, Path directory, WeightType type) throws IOException {
        return Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(type));
    }

    /**
     * What a server might do: prompts of different lengths in one step, then tokens of some together with the rest of
     * another's prompt, a fork in the middle of a page, tokens taken back.
     *
     * @return all logits, in order
     */
    private static List<float[]> play(Gpt model, SessionOptions options) {
        Random random = new Random(3);
        int vocabulary = model.config().vocabularySize();
        int[][] ids = new int[4][];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = random.ints(model.config().contextLength(), 0, vocabulary).toArray();
        }
        List<float[]> all = new ArrayList<>();
        try (Session session = model.openSession(options)) {
            Batch batch = session.batch();
            Sequence a = session.newSequence();
            Sequence b = session.newSequence();
            Sequence c = session.newSequence();
            batch.add(a, ids[0], 0, 1, Logits.ALL);
            batch.add(b, ids[1], 0, 33, Logits.ALL);
            batch.add(c, ids[2], 0, 12, Logits.LAST);
            step(session, all);
            Sequence d = b.fork();
            batch.add(a, ids[0], 1, 2, Logits.LAST);
            batch.add(d, ids[3], 33, 60, Logits.ALL);
            batch.add(b, ids[1], 33, 34, Logits.LAST);
            step(session, all);
            d.truncate(40);
            for (int i = 0; i < 5; i++) {
                batch.add(a, ids[0], 2 + i, 3 + i, Logits.LAST);
                batch.add(b, ids[1], 34 + i, 35 + i, Logits.LAST);
                batch.add(d, ids[3], 40 + i, 41 + i, Logits.LAST);
                step(session, all);
            }
        }
        return all;
    }

    private static void step(Session session, List<float[]> all) {
        session.step(session.batch());
        for (int i = 0; i < session.logitsRows(); i++) {
            float[] row = new float[session.model().outputs()];
            session.logits(i, row);
            all.add(row);
        }
        session.batch().clear();
    }

    private static void assertClose(List<float[]> actual, List<float[]> expected, float bound) {
        assertThat(actual).hasSameSizeAs(expected);
        float worst = 0;
        for (int r = 0; r < actual.size(); r++) {
            for (int i = 0; i < actual.get(r).length; i++) {
                // Not-a-number must not pass.
                float error = Math.abs(actual.get(r)[i] - expected.get(r)[i]);
                worst = error <= worst ? worst : error;
            }
        }
        assertThat(worst).isLessThanOrEqualTo(bound);
    }

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void weightsOfEachTypeComputeAsOnTheCpu(WeightType type) throws IOException {
        SessionOptions options = new SessionOptions(400, 64);
        for (Path directory : List.of(odd, even)) {
            try (Gpt model = load(device, directory, type); Gpt same = load(cpu, directory, type)) {
                assertThat(model.weights()).isEqualTo(same.weights());
                assertThat(model.weightBytes()).isEqualTo(same.weightBytes());
                assertClose(play(model, options), play(same, options), BOUND);
            }
        }
    }

    /** Where rounding to bfloat16 hangs by a thread, device and CPU may differ by its 8 bits. */
    @Test
    void keysAndValuesAsBfloats() throws IOException {
        SessionOptions options = new SessionOptions(400, 64, WeightType.BF16);
        try (Gpt model = load(device, even, null); Gpt same = load(cpu, even, null)) {
            assertClose(play(model, options), play(same, options), 0.02f);
        }
    }

    /** A race would show as other numbers once in a while. */
    @Test
    void theSameBitsEachTime() throws IOException {
        SessionOptions options = new SessionOptions(400, 64);
        try (Gpt model = load(device, odd, null)) {
            List<float[]> first = play(model, options);
            for (int i = 1; i < REPETITIONS; i++) {
                List<float[]> again = play(model, options);
                for (int r = 0; r < first.size(); r++) {
                    assertThat(again.get(r)).as("repetition %d, row %d", i, r).isEqualTo(first.get(r));
                }
            }
        }
    }

    @Test
    void sessionsOfSeveralThreadsShareAModel() throws Exception {
        SessionOptions options = new SessionOptions(400, 64);
        try (Gpt model = load(device, odd, null)) {
            List<float[]> expected = play(model, options);
            List<List<float[]>> results = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int j = 0; j < 3; j++) {
                        List<float[]> result = play(model, options);
                        synchronized (results) {
                            results.add(result);
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(results).hasSize(12);
            for (List<float[]> result : results) {
                assertThat(Arrays.deepEquals(result.toArray(), expected.toArray())).isTrue();
            }
        }
    }

    @Test
    void anEncoderOfManyLengths() throws IOException {
        Path directory = TestBerts.write(folder.resolve("bert"), TestBerts.Shape.ODD, "BertForMaskedLM", 0, 1,
                DType.F32);
        try (Bert model = Bert.load(device, ModelFiles.of(directory), LoadOptions.defaults());
                Bert same = Bert.load(cpu, ModelFiles.of(directory), LoadOptions.defaults())) {
            // The second run of a session is larger than the first: its tensors are made anew.
            assertClose(encode(model), encode(same), BOUND);
        }
    }

    private static List<float[]> encode(Bert model) {
        List<float[]> all = new ArrayList<>();
        Random random = new Random(9);
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            for (int[] lengths : new int[][]{{3}, {1, model.config().contextLength(), 2, 33}, {5, 5}}) {
                session.batch().clear();
                for (int length : lengths) {
                    session.batch().add(EncoderInput.of(
                            random.ints(length, 0, model.config().vocabularySize()).toArray()), 0);
                }
                session.run(session.batch());
                for (int s = 0; s < lengths.length; s++) {
                    float[] state = new float[model.config().hiddenSize()];
                    session.hidden(s, lengths[s] - 1, state);
                    all.add(state);
                    float[] logits = new float[model.config().vocabularySize()];
                    session.vocabularyLogits(s, 0, logits);
                    all.add(logits);
                }
            }
        }
        return all;
    }

    @Test
    void everythingIsGivenBack() throws IOException {
        LiveObjects before = live(device);
        try (Gpt model = load(device, odd, null)) {
            LiveObjects loaded = live(device);
            assertThat(loaded.bytes()).isEqualTo(model.weightBytes());
            try (Session session = model.openSession(SessionOptions.defaults())) {
                assertThat(live(device).bytes()).isGreaterThanOrEqualTo(loaded.bytes() + session.cacheBytes());
                assertThat(live(device).queues()).isGreaterThan(loaded.queues());
            }
            play(model, new SessionOptions(400, 64));
            LiveObjects after = live(device);
            assertThat(after).isEqualTo(new LiveObjects(loaded.buffers(), after.programs(), loaded.kernels(),
                    loaded.queues(), loaded.events(), loaded.bytes()));
        }
        LiveObjects after = live(device);
        assertThat(after).isEqualTo(new LiveObjects(before.buffers(), after.programs(), before.kernels(),
                before.queues(), before.events(), before.bytes()));
    }

    @Test
    void whatWasForgottenIsNamedWhenTheEngineCloses() throws IOException {
        Engine engine = openDevice();
        Gpt model = load(engine, odd, null);
        Session session = model.openSession(SessionOptions.defaults());
        assertThatThrownBy(engine::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the weights").hasMessageContaining("buffer");
        assertThat(live(engine)).isEqualTo(LiveObjects.NONE);
        // Too late, but no harm.
        assertThatThrownBy(() -> session.feed(session.newSequence(), new int[]{1}, 0, 1))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        session.close();
        model.close();
        engine.close();
    }

    @Test
    void aSessionThatNeedsTooMuchIsRefusedAndNothingIsTaken() throws IOException {
        try (Gpt model = load(device, even, null)) {
            LiveObjects before = live(device);
            long positions = device.device().orElseThrow().globalMemory() / 1024;
            assertThatThrownBy(() -> model.openSession(new SessionOptions(positions, 64)))
                    .isInstanceOf(DeviceMemoryException.class).hasMessageContaining("cache")
                    .hasMessageContaining("needed").hasMessageContaining("left of");
            LiveObjects after = live(device);
            assertThat(after.bytes()).isEqualTo(before.bytes());
            assertThat(after.queues()).isEqualTo(before.queues());
            assertThat(after.kernels()).isEqualTo(before.kernels());
        }
    }

    /** A real error of the driver: numbers of four bytes do not begin at the second one. */
    @Test
    void aLostSessionSaysSoAndGivesNoNumbers() {
        OpenClBackend backend = (OpenClBackend) device.compute();
        try (Ops ops = backend.openOps(64)) {
            Tensor x = ops.tensor(2, 8);
            Tensor out = ops.tensor(2, 8);
            ops.write(new float[8], x, 0);
            ops.gatherRows(x, new int[]{0}, 1, out);
            ClQueue queue = ((OpenClOps) ops).queue;
            ClBuffer buffer = ((DeviceTensor) x).data();
            assertThatThrownBy(() -> queue.fill(buffer, 1, 4, 0)).isInstanceOf(DeviceException.class)
                    .hasMessageContaining("CL_INVALID_VALUE");
            assertThatThrownBy(() -> ops.read(out, 0, new float[8])).isInstanceOf(DeviceException.class)
                    .hasMessageContaining("lost").hasMessageContaining("CL_INVALID_VALUE");
            assertThatThrownBy(() -> ops.gatherRows(x, new int[]{0}, 1, out)).isInstanceOf(DeviceException.class)
                    .hasMessageContaining("lost");
            assertThatThrownBy(ops::await).isInstanceOf(DeviceException.class).hasMessageContaining("lost");
        }
        // Another session is not concerned.
        try (Ops ops = backend.openOps(64)) {
            Tensor x = ops.tensor(1, 8);
            float[] numbers = {1, 2, 3, 4, 5, 6, 7, 8};
            ops.write(numbers, x, 0);
            float[] back = new float[8];
            ops.read(x, 0, back);
            assertThat(back).isEqualTo(numbers);
        }
    }
}
