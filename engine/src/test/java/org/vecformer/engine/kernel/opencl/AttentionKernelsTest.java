package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;

/**
 * Attention on a device against plain double loops, each way of cutting it into groups forced. The cache is full of NaN
 * at first: whoever looks at a position that nobody stored, gives NaN.
 */
@Tag("opencl")
class AttentionKernelsTest {

    private static final int PAGE = KeyValueMemory.POSITIONS;
    private static final int NONE = Integer.MAX_VALUE;
    private static final float SCALE = 0.125f;
    /** What no kernel writes. */
    private static final float GUARD = 12345.5f;

    private static ClDevice device;

    private final List<AutoCloseable> open = new ArrayList<>();
    private ClQueue queue;

    /** How the work is cut. */
    private enum Path {
        AS_IT_SUITS(null),
        DECODE(new AttentionPlan(NONE, List.of(), 1, 128)),
        DECODE_IN_SMALL_GROUPS(new AttentionPlan(NONE, List.of(), 1, 32)),
        DECODE_IN_PARTS(new AttentionPlan(NONE, List.of(), 4000, 128)),
        TILES_16(new AttentionPlan(0, List.of(16), 1, 128)),
        TILES_32(new AttentionPlan(0, List.of(32), 1, 128)),
        TILES_64(new AttentionPlan(0, List.of(64), 1, 128)),
        TILES_FOR_SOME(new AttentionPlan(3, List.of(16, 32, 64), 20, 128));

        private final AttentionPlan plan;

        Path(AttentionPlan plan) {
            this.plan = plan;
        }
    }

    @BeforeAll
    static void openDevice() {
        device = ClDevice.open(TestDevices.choiceOrSkip(), false);
    }

    @AfterAll
    static void closeDevice() {
        if (device != null) {
            device.close();
        }
    }

    @BeforeEach
    void openQueue() {
        queue = keep(device.openQueue());
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable resource : open.reversed()) {
            resource.close();
        }
        assertThat(device.live().buffers()).isZero();
        assertThat(device.live().kernels()).isZero();
    }

    private <T extends AutoCloseable> T keep(T resource) {
        open.add(resource);
        return resource;
    }

    /** The rows that a sequence has in a step, behind those that it had in earlier ones. */
    private static final class Sequence {
        final boolean encoder;
        int[] pages;
        /** Queries, keys and values of each position. */
        final List<float[]> stored = new ArrayList<>();
        int past;

        Sequence(boolean encoder) {
            this.encoder = encoder;
        }

        int rows() {
            return stored.size() - past;
        }

        int seen(int position) {
            return encoder ? stored.size() : position + 1;
        }
    }

    /** Sequences and their cache, of which layer 1 is used. */
    private final class Session {
        final int heads;
        final int headSize;
        final WeightType type;
        final AttentionKernels kernels;
        final DeviceKeyValues cache;
        final List<Integer> freePages;
        final List<Sequence> sequences = new ArrayList<>();
        final Random random = new Random(7);
        float scale = SCALE;

        Session(Path path, int heads, int headSize, WeightType type, int pages) {
            this.heads = heads;
            this.headSize = headSize;
            this.type = type;
            kernels = keep(new AttentionKernels(device, queue, path.plan));
            ClBuffer[] layers = new ClBuffer[2];
            cache = new DeviceKeyValues(queue, layers, pages, heads, headSize, type);
            for (int i = 0; i < 2; i++) {
                layers[i] = keep(device.allocate(cache.layerBytes(), "keys and values"));
                queue.fill(layers[i], 0, cache.layerBytes(), Float.NaN);
            }
            freePages = new ArrayList<>(IntStream.range(0, pages).boxed().toList());
            Collections.shuffle(freePages, random);
        }

        int hidden() {
            return heads * headSize;
        }

        /** A sequence that has {@code past} positions already, and {@code rows} in the next step. */
        Sequence add(int past, int rows, boolean encoder) {
            Sequence sequence = new Sequence(encoder);
            sequences.add(sequence);
            int count = Math.ceilDiv(past + rows, PAGE);
            sequence.pages = new int[count];
            for (int i = 0; i < count; i++) {
                sequence.pages[i] = freePages.removeLast();
            }
            more(sequence, past);
            if (past > 0) {
                attend(List.of(sequence));
                sequence.past = past;
            }
            more(sequence, rows);
            return sequence;
        }

        void more(Sequence sequence, int rows) {
            for (int i = 0; i < rows; i++) {
                float[] row = new float[3 * hidden()];
                for (int c = 0; c < row.length; c++) {
                    row[c] = (float) random.nextGaussian();
                }
                sequence.stored.add(row);
            }
        }

        PackedBatch batch(List<Sequence> sequences) {
            PackedBatch batch = new PackedBatch(sequences.size());
            batch.sequences = sequences.size();
            for (int s = 0; s < sequences.size(); s++) {
                Sequence sequence = sequences.get(s);
                batch.starts[s + 1] = batch.starts[s] + sequence.rows();
                batch.past[s] = sequence.past;
                batch.seenByAll[s] = sequence.encoder ? sequence.stored.size() : 0;
                batch.pages[s] = sequence.pages;
            }
            return batch;
        }

        float[][] attend(List<Sequence> sequences) {
            return attend(sequences, kernels, null);
        }

        /** One step of these sequences; a row behind the last one is to stay as it is. */
        float[][] attend(List<Sequence> sequences, AttentionKernels kernels,
                AttentionTrace trace) {
            PackedBatch batch = batch(sequences);
            List<float[]> rows = sequences.stream().flatMap(s -> s.stored.subList(s.past, s.stored.size()).stream())
                    .toList();
            DeviceTensor qkv = tensor(rows);
            DeviceTensor out = tensor(
                    Stream.generate(() -> filled(hidden(), GUARD)).limit(rows.size() + 1).toList());
            kernels.run(qkv, batch, cache, 1, scale, out, trace);
            float[][] actual = new float[rows.size()][];
            for (int r = 0; r < rows.size(); r++) {
                actual[r] = row(out, r);
            }
            assertThat(row(out, rows.size())).containsOnly(GUARD);
            qkv.close();
            out.close();
            return actual;
        }

        /** The probabilities of a row, and what it should give. */
        double[] expected(Sequence sequence, int position, int head, double[] probabilities) {
            float[] query = sequence.stored.get(position);
            double[] out = new double[headSize];
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < probabilities.length; j++) {
                float[] key = sequence.stored.get(j);
                for (int d = 0; d < headSize; d++) {
                    probabilities[j] += (double) query[head * headSize + d]
                            * cached(key[hidden() + head * headSize + d]);
                }
                probabilities[j] *= scale;
                largest = Math.max(largest, probabilities[j]);
            }
            double sum = 0;
            for (int j = 0; j < probabilities.length; j++) {
                probabilities[j] = Math.exp(probabilities[j] - largest);
                sum += probabilities[j];
            }
            for (int j = 0; j < probabilities.length; j++) {
                probabilities[j] /= sum;
                for (int d = 0; d < headSize; d++) {
                    out[d] += probabilities[j] * cached(sequence.stored.get(j)[2 * hidden() + head * headSize + d]);
                }
            }
            return out;
        }

        private float cached(float x) {
            return type == WeightType.BF16 ? toBfloat(x) : x;
        }

        void check(List<Sequence> sequences, float[][] actual) {
            int row = 0;
            for (Sequence sequence : sequences) {
                for (int position = sequence.past; position < sequence.stored.size(); position++, row++) {
                    for (int head = 0; head < heads; head++) {
                        double[] expected = expected(sequence, position, head, new double[sequence.seen(position)]);
                        for (int d = 0; d < headSize; d++) {
                            assertThat((double) actual[row][head * headSize + d])
                                    .as("sequence %d, position %d of %d, head %d, column %d",
                                            sequences.indexOf(sequence), position, sequence.stored.size(), head, d)
                                    .isCloseTo(expected[d], within(1e-5));
                        }
                    }
                }
            }
        }
    }

    /** The nearer one of its two neighbours, of equally near ones the even one. */
    private static float toBfloat(float x) {
        int down = Float.floatToRawIntBits(x) & 0xFFFF_0000;
        int up = down + 0x1_0000;
        double toDown = Math.abs((double) x - Float.intBitsToFloat(down));
        double toUp = Math.abs((double) x - Float.intBitsToFloat(up));
        boolean even = (down & 0x1_0000) == 0;
        return Float.intBitsToFloat(toDown < toUp || toDown == toUp && even ? down : up);
    }

    private static float[] filled(int length, float value) {
        float[] x = new float[length];
        Arrays.fill(x, value);
        return x;
    }

    private DeviceTensor tensor(List<float[]> rows) {
        int columns = rows.getFirst().length;
        DeviceTensor x = new DeviceTensor(
                device.allocate(DeviceTensor.byteSize(rows.size(), columns), "test"), rows.size(), columns);
        queue.fill(x.data(), 0, x.data().bytes(), Float.NaN);
        for (int r = 0; r < rows.size(); r++) {
            queue.write(x.data(), x.offset(r), rows.get(r), 0, columns);
        }
        return x;
    }

    private float[] row(DeviceTensor x, int row) {
        float[] read = new float[x.columns()];
        queue.read(x.data(), x.offset(row), read, 0, read.length);
        return read;
    }

    /** Each kernel at each head size, all ways at one of them; more only where a driver's compiler has less to do. */
    static Stream<Object[]> pathsAndHeads() {
        List<Object[]> cases = new ArrayList<>();
        for (Path path : Path.values()) {
            cases.add(new Object[]{64, WeightType.F32, path});
        }
        for (int headSize : new int[]{1, 7, 16, 80, 128, 256}) {
            cases.add(new Object[]{headSize, WeightType.F32, Path.DECODE_IN_PARTS});
            cases.add(new Object[]{headSize, WeightType.F32, Path.TILES_32});
        }
        for (Path path : List.of(Path.DECODE, Path.DECODE_IN_PARTS, Path.TILES_32)) {
            cases.add(new Object[]{33, WeightType.BF16, path});
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("pathsAndHeads")
    void sequencesOfAllKindsInOneBatch(int headSize, WeightType type, Path path) {
        Session session = new Session(path, 3, headSize, type, 40);
        session.add(0, 1, false);
        session.add(37, 1, false);
        session.add(5, 9, false);
        session.add(0, 45, true);
        session.add(150, 1, false);
        session.add(0, 1, true);
        session.add(64, 70, false);
        session.add(31, 2, false);
        session.add(0, 64, true);
        session.check(session.sequences, session.attend(session.sequences));
    }

    /** Every sequence has one row, which appends its own key and value. */
    @ParameterizedTest
    @CsvSource({"64, F32, DECODE", "64, F32, DECODE_IN_PARTS", "33, BF16, DECODE", "33, BF16, DECODE_IN_PARTS",
        "33, BF16, AS_IT_SUITS", "64, F32, TILES_16"})
    void decodingStepAfterStep(int headSize, WeightType type, Path path) {
        Session session = new Session(path, 2, headSize, type, 30);
        for (int past : new int[]{0, 31, 120, 280}) {
            session.add(past, 4, false);
        }
        for (int i = 0; i < 4; i++) {
            List<Sequence> soFar = new ArrayList<>();
            for (Sequence sequence : session.sequences) {
                Sequence now = new Sequence(false);
                now.pages = sequence.pages;
                now.past = sequence.past + i;
                now.stored.addAll(sequence.stored.subList(0, now.past + 1));
                soFar.add(now);
            }
            session.check(soFar, session.attend(soFar));
        }
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void longContexts(Path path) {
        Session session = new Session(path, 2, 64, WeightType.F32, 150);
        session.add(3000, 1, false);
        session.add(1500, 1, false);
        session.add(10, 1, false);
        session.check(session.sequences, session.attend(session.sequences));
        Sequence last = session.add(17, 18, false);
        session.check(List.of(last), session.attend(List.of(last)));
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void whatALaterTokenHoldsDoesNotReachAnEarlierRow(Path path) {
        Session session = new Session(path, 2, 64, WeightType.F32, 10);
        Sequence sequence = session.add(28, 50, false);
        float[][] expected = session.attend(session.sequences);
        int spoiled = 13;
        for (float value : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            Arrays.fill(sequence.stored.get(28 + spoiled), 2 * 64, 3 * 2 * 64, value);
            float[][] actual = session.attend(session.sequences);
            for (int r = 0; r < spoiled; r++) {
                assertThat(actual[r]).isEqualTo(expected[r]);
            }
            assertThat(actual[spoiled]).as("it was there to be seen").contains(Float.NaN);
        }
    }

    /** Scores overflow to -infinity at some positions: whole pages at the front, at the end, all but one, every other. */
    @ParameterizedTest
    @EnumSource(Path.class)
    void masksOfMinusInfinityNeverGiveNaN(Path path) {
        int length = 300;
        for (int mask = 0; mask < 4; mask++) {
            Session session = new Session(path, 1, 64, WeightType.F32, 10);
            Sequence sequence = session.add(0, length, true);
            Sequence visible = new Sequence(true);
            for (int j = 0; j < length; j++) {
                boolean masked = switch (mask) {
                    case 0 -> j < 200;
                    case 1 -> j >= 64;
                    case 2 -> j != 250;
                    default -> j % 2 == 0;
                };
                sequence.stored.get(j)[0] = 1e30f;
                sequence.stored.get(j)[64] = masked ? -1e30f : 0;
                if (!masked) {
                    visible.stored.add(sequence.stored.get(j));
                }
            }
            float[][] actual = session.attend(session.sequences);
            for (int row : new int[]{0, 64, 299}) {
                float[] query = sequence.stored.get(row);
                visible.stored.add(query);
                double[] expected = session.expected(visible, visible.stored.size() - 1, 0,
                        new double[visible.stored.size() - 1]);
                visible.stored.removeLast();
                for (int d = 0; d < 64; d++) {
                    assertThat((double) actual[row][d]).as("mask %d, row %d", mask, row)
                            .isCloseTo(expected[d], within(1e-5));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void aKeyFarAheadOfAllOthersTakesAllTheWeight(Path path) {
        for (int length : new int[]{1, 33, 290}) {
            for (float size : new float[]{1e4f, 1e18f, -1e18f}) {
                Session session = new Session(path, 1, 64, WeightType.F32, 10);
                Sequence sequence = session.add(0, length, true);
                int winner = length / 3;
                for (int j = 0; j < length; j++) {
                    sequence.stored.get(j)[0] = size;
                    sequence.stored.get(j)[64] = j == winner ? size : -size;
                }
                float[] value = Arrays.copyOfRange(sequence.stored.get(winner), 128, 192);
                for (float[] row : session.attend(session.sequences)) {
                    assertThat(row).isEqualTo(value);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"64, F32, AS_IT_SUITS", "33, BF16, TILES_32", "64, F32, DECODE_IN_PARTS"})
    void theTraceGetsEveryProbabilityOnce(int headSize, WeightType type, Path path) {
        Session session = new Session(path, 3, headSize, type, 20);
        session.add(40, 1, false);
        session.add(0, 35, true);
        session.add(7, 30, false);
        session.add(130, 3, false);
        List<Sequence> sequences = session.sequences;
        float[][][] traced = new float[69][3][];
        float[][] actual = session.attend(sequences, session.kernels, (layer, head, row, probabilities) -> {
            assertThat(layer).isEqualTo(1);
            assertThat(traced[row][head]).isNull();
            traced[row][head] = probabilities;
        });
        session.check(sequences, actual);
        int row = 0;
        for (Sequence sequence : sequences) {
            for (int position = sequence.past; position < sequence.stored.size(); position++, row++) {
                for (int head = 0; head < 3; head++) {
                    double[] expected = new double[sequence.seen(position)];
                    session.expected(sequence, position, head, expected);
                    assertThat(traced[row][head]).hasSize(expected.length);
                    for (int j = 0; j < expected.length; j++) {
                        assertThat((double) traced[row][head][j]).isCloseTo(expected[j], within(1e-6));
                    }
                }
            }
        }
    }

    /** The first pages are the same ones, and each of the two goes on in pages of its own. */
    @ParameterizedTest
    @EnumSource(Path.class)
    void forkedSequencesShareTheirPages(Path path) {
        Session session = new Session(path, 2, 64, WeightType.F32, 12);
        Sequence first = session.add(96, 1, false);
        Sequence second = new Sequence(false);
        second.pages = first.pages.clone();
        second.pages[3] = session.freePages.removeLast();
        second.stored.addAll(first.stored.subList(0, 96));
        second.past = 96;
        session.more(second, 1);
        session.sequences.add(second);
        session.check(session.sequences, session.attend(session.sequences));
        // And as prompts.
        session.more(first, 30);
        session.more(second, 12);
        session.check(session.sequences, session.attend(session.sequences));
    }

    /** As many rows as sequences, but one of these has both: neither is alone. */
    @Test
    void sequencesWithoutRowsAreNotInTheWay() {
        Session session = new Session(Path.DECODE, 2, 64, WeightType.F32, 6);
        Sequence done = session.add(40, 0, false);
        Sequence two = session.add(35, 2, false);
        session.check(List.of(done, two), session.attend(List.of(done, two)));
        session.check(List.of(two, done), session.attend(List.of(two, done)));
    }

    /** The same batch in other pages: the table on the device must not be taken for the new one. */
    @Test
    void aChangedPageTableIsNoticed() {
        Session session = new Session(Path.AS_IT_SUITS, 2, 64, WeightType.F32, 12);
        Sequence sequence = session.add(80, 1, false);
        session.check(session.sequences, session.attend(session.sequences));
        int moved = sequence.pages[1];
        sequence.pages[1] = session.freePages.removeLast();
        session.cache.copy(moved, sequence.pages[1]);
        ClBuffer layer = session.cache.layers()[1];
        long bytes = session.cache.headBytes() * 2;
        queue.fill(layer, moved * bytes, bytes, Float.NaN);
        session.check(session.sequences, session.attend(session.sequences));
    }

    /** Pages of nobody in the batch, and the other layer, stay as they were. */
    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"F32", "BF16"})
    void nothingElseIsWritten(WeightType type) {
        int headSize = type == WeightType.F32 ? 7 : 33;
        Session session = new Session(type == WeightType.F32 ? Path.DECODE : Path.TILES_32, 2, headSize, type, 5);
        session.add(20, 30, false);
        session.attend(session.sequences);
        Sequence other = session.add(0, 1, false);
        session.attend(List.of(other));
        int nan = Float.floatToRawIntBits(Float.NaN);
        int words = Math.toIntExact(session.cache.headBytes() * 2 / Integer.BYTES);
        int[] read = new int[words];
        for (int page : session.freePages) {
            queue.read(session.cache.layers()[1], (long) page * words * Integer.BYTES, read, 0, words);
            assertThat(read).containsOnly(nan);
        }
        for (int page = 0; page < 5; page++) {
            queue.read(session.cache.layers()[0], (long) page * words * Integer.BYTES, read, 0, words);
            assertThat(read).containsOnly(nan);
        }
        // Of the numbers at one position none is missing, and nothing was stored at the position behind it.
        queue.read(session.cache.layers()[1], (long) other.pages[0] * words * Integer.BYTES, read, 0, words);
        int row = (int) session.cache.headBytes() / Integer.BYTES
                / (headSize + Tensor.roundUp(headSize));
        for (int d = 0; d < headSize; d++) {
            assertThat(read[d * row + 1]).isEqualTo(nan);
            assertThat(read[d * row]).isNotEqualTo(nan);
            if (type == WeightType.BF16) {
                assertThat(read[d * row] & 0xFFFF_0000).as("position 16").isEqualTo(nan);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = WeightType.class, mode = EnumSource.Mode.EXCLUDE, names = {"F32", "BF16"})
    void aCacheOfOtherNumbersIsRefused(WeightType type) {
        Session session = new Session(Path.AS_IT_SUITS, 1, 32, type, 2);
        Sequence sequence = new Sequence(false);
        sequence.pages = new int[]{0};
        session.more(sequence, 1);
        DeviceTensor qkv = keep(tensor(sequence.stored));
        DeviceTensor out = keep(tensor(List.of(new float[32])));
        assertThatThrownBy(
                () -> session.kernels.run(qkv, session.batch(List.of(sequence)), session.cache, 1, SCALE, out, null))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining(type.name());
    }

    @ParameterizedTest
    @CsvSource({"64, F32, TILES_FOR_SOME", "33, BF16, DECODE_IN_PARTS", "33, BF16, TILES_32", "64, F32, TILES_64"})
    void theSameBitsEveryTime(int headSize, WeightType type, Path path) {
        Session session = new Session(path, 3, headSize, type, 20);
        session.add(200, 1, false);
        session.add(20, 70, false);
        session.add(0, 33, true);
        session.add(100, 3, false);
        float[][] expected = session.attend(session.sequences);
        for (int i = 0; i < 100; i++) {
            assertThat(session.attend(session.sequences)).isDeepEqualTo(expected);
        }
    }

    @Test
    void headsAndCachesMayChange() {
        AttentionKernels kernels = keep(new AttentionKernels(device, queue));
        for (int headSize : new int[]{16, 64, 16}) {
            Session session = new Session(Path.AS_IT_SUITS, 1, headSize, WeightType.F32, 10);
            session.add(0, 50, true);
            session.check(session.sequences, session.attend(session.sequences, kernels, null));
        }
    }

    @Test
    void wrongShapesAreRefused() {
        Session session = new Session(Path.AS_IT_SUITS, 2, 16, WeightType.F32, 2);
        Sequence sequence = new Sequence(false);
        sequence.pages = new int[]{0};
        session.more(sequence, 3);
        DeviceTensor qkv = keep(tensor(sequence.stored));
        DeviceTensor narrow = keep(tensor(List.of(new float[31], new float[31], new float[31])));
        DeviceTensor low = keep(tensor(List.of(new float[32], new float[32])));
        for (DeviceTensor out : List.of(narrow, low)) {
            assertThatThrownBy(() -> session.kernels.run(qkv, session.batch(List.of(sequence)), session.cache, 0, SCALE,
                    out, null)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("attention of 3 rows");
        }
    }
}
