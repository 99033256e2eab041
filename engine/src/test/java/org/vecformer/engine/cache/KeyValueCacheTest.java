package org.vecformer.engine.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/** The accounting of pages, and that sequences which share them do not see each other. */
class KeyValueCacheTest {

    private static final int LAYERS = 2;
    private static final int HEADS = 3;
    private static final int HEAD_SIZE = 5;
    private static final int CONTEXT = 100;

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    private KeyValueCache cache(long positions) {
        int pages = Math.toIntExact(Math.ceilDiv(positions, KeyValuePages.POSITIONS));
        return new KeyValueCache(new KeyValuePages(arena, pages, LAYERS, HEADS, HEAD_SIZE, WeightType.F32), CONTEXT);
    }

    private static KeyValuePages pages(KeyValueCache cache) {
        return (KeyValuePages) cache.memory();
    }

    private static CachedSequence grown(KeyValueCache cache, int length) {
        CachedSequence sequence = cache.newSequence();
        grow(cache, sequence, length);
        return sequence;
    }

    private static void grow(KeyValueCache cache, CachedSequence sequence, int length) {
        cache.reserve(sequence, length);
        sequence.advance(length - sequence.length());
    }

    @Test
    void roomIsRoundedUpToWholePages() {
        KeyValueCache cache = cache(33);
        assertThat(cache.freePositions()).isEqualTo(64);
        assertThat(cache.byteSize()).isEqualTo(2 * cache.memory().pageBytes());
        assertThat(cache.memory().pages()).isEqualTo(2);
    }

    @Test
    void sequencesTakePagesAsTheyGrow() {
        KeyValueCache cache = cache(128);
        CachedSequence sequence = cache.newSequence();
        assertThat(sequence.length()).isZero();
        assertThat(cache.freePositions()).isEqualTo(128);
        int[][] lengthsAndFree = {{1, 96}, {2, 96}, {32, 96}, {33, 64}, {64, 64}, {100, 0}};
        for (int[] step : lengthsAndFree) {
            grow(cache, sequence, step[0]);
            assertThat(sequence.length()).isEqualTo(step[0]);
            assertThat(cache.freePositions()).as("after %d positions", step[0]).isEqualTo(step[1]);
        }
        assertThat(Arrays.copyOf(sequence.pageTable(), 4)).doesNotHaveDuplicates();
    }

    @Test
    void reservingTwiceTakesOnce() {
        KeyValueCache cache = cache(128);
        CachedSequence sequence = cache.newSequence();
        cache.reserve(sequence, 40);
        cache.reserve(sequence, 40);
        cache.reserve(sequence, 20);
        assertThat(cache.freePositions()).isEqualTo(64);
    }

    @Test
    void truncatingAndClosingGivePagesBack() {
        KeyValueCache cache = cache(128);
        CachedSequence sequence = grown(cache, 100);
        sequence.truncate(65);
        assertThat(cache.freePositions()).isEqualTo(32);
        sequence.truncate(64);
        assertThat(cache.freePositions()).isEqualTo(64);
        sequence.truncate(64);
        assertThat(sequence.length()).isEqualTo(64);
        sequence.truncate(0);
        assertThat(cache.freePositions()).isEqualTo(128);
        grow(cache, sequence, 10);
        sequence.close();
        sequence.close();
        assertThat(cache.freePositions()).isEqualTo(128);
        assertThatIllegalArgumentException().isThrownBy(() -> grown(cache, 10).truncate(11))
                .withMessageContaining("10 positions to 11");
        assertThatIllegalArgumentException().isThrownBy(() -> cache.newSequence().truncate(-1));
    }

    @Test
    void pagesThatCameBackAreUsedAgain() {
        KeyValueCache cache = cache(64);
        for (int i = 0; i < 50; i++) {
            try (CachedSequence one = grown(cache, 20); CachedSequence two = grown(cache, 31)) {
                assertThat(one.pageTable()[0]).isNotEqualTo(two.pageTable()[0]);
                assertThat(cache.freePositions()).isZero();
            }
        }
        assertThat(cache.freePositions()).isEqualTo(64);
    }

    @Test
    void aFullCacheChangesNothing() {
        KeyValueCache cache = cache(96);
        CachedSequence one = grown(cache, 40);
        CachedSequence two = grown(cache, 10);
        int[] before = one.pageTable().clone();
        assertThatExceptionOfType(CacheFullException.class).isThrownBy(() -> cache.reserve(one, 65))
                .withMessageContaining("room for 96 positions").withMessageContaining("0 of them free")
                .withMessageContaining("32 more are needed");
        assertThat(one.length()).isEqualTo(40);
        assertThat(one.pageTable()).isEqualTo(before);
        assertThat(two.length()).isEqualTo(10);
        assertThat(cache.freePositions()).isZero();
        cache.reserve(one, 64);
        two.close();
        cache.reserve(one, 65);
        assertThat(cache.freePositions()).isZero();
    }

    @Test
    void aPartOfWhatIsNeededIsNotTaken() {
        KeyValueCache cache = cache(96);
        CachedSequence one = grown(cache, 20);
        CachedSequence two = grown(cache, 20);
        assertThatExceptionOfType(CacheFullException.class).isThrownBy(() -> cache.reserve(one, 70));
        assertThat(cache.freePositions()).isEqualTo(32);
        CachedSequence fork = two.fork();
        // The shared page has to be copied and one more is needed: two, of which there is one.
        assertThatExceptionOfType(CacheFullException.class).isThrownBy(() -> cache.reserve(fork, 33));
        assertThat(cache.freePositions()).isEqualTo(32);
        assertThat(fork.pageTable()[0]).isEqualTo(two.pageTable()[0]);
    }

    @Test
    void longerThanTheContextIsRefused() {
        KeyValueCache cache = cache(1000);
        CachedSequence sequence = cache.newSequence();
        cache.reserve(sequence, CONTEXT);
        assertThatIllegalArgumentException().isThrownBy(() -> cache.reserve(sequence, CONTEXT + 1))
                .withMessageContaining("101").withMessageContaining("100");
    }

    @Test
    void forksShareUntilOneGoesOn() {
        KeyValueCache cache = cache(320);
        CachedSequence original = grown(cache, 70);
        fill(cache, original);
        assertThat(cache.freePositions()).isEqualTo(320 - 96);
        CachedSequence fork = original.fork();
        assertThat(fork.length()).isEqualTo(70);
        assertThat(Arrays.copyOf(fork.pageTable(), 3)).isEqualTo(Arrays.copyOf(original.pageTable(), 3));
        assertThat(cache.freePositions()).isEqualTo(320 - 96);

        cache.reserve(fork, 71);
        assertThat(cache.freePositions()).as("one page was copied").isEqualTo(320 - 128);
        assertThat(Arrays.copyOf(fork.pageTable(), 2)).isEqualTo(Arrays.copyOf(original.pageTable(), 2));
        assertThat(fork.pageTable()[2]).isNotEqualTo(original.pageTable()[2]);
        assertThat(page(cache, fork, 2)).isEqualTo(page(cache, original, 2));

        // Now each has its own last page: nothing more is copied.
        cache.reserve(original, 71);
        cache.reserve(fork, 96);
        assertThat(cache.freePositions()).isEqualTo(320 - 128);
        original.close();
        assertThat(cache.freePositions()).isEqualTo(320 - 96);
        fork.close();
        assertThat(cache.freePositions()).isEqualTo(320);
    }

    @Test
    void aForkAtAPagesEndCopiesNothing() {
        KeyValueCache cache = cache(320);
        CachedSequence original = grown(cache, 64);
        CachedSequence fork = original.fork();
        cache.reserve(fork, 65);
        cache.reserve(original, 65);
        assertThat(cache.freePositions()).isEqualTo(320 - 128);
        assertThat(fork.pageTable()[1]).isEqualTo(original.pageTable()[1]);
        assertThat(fork.pageTable()[2]).isNotEqualTo(original.pageTable()[2]);
    }

    @Test
    void aTruncatedForkCopiesThePageItWritesTo() {
        KeyValueCache cache = cache(320);
        CachedSequence original = grown(cache, 70);
        fill(cache, original);
        CachedSequence fork = original.fork();
        fork.truncate(40);
        assertThat(cache.freePositions()).as("the original still has its three pages").isEqualTo(320 - 96);
        cache.reserve(fork, 41);
        assertThat(fork.pageTable()[0]).isEqualTo(original.pageTable()[0]);
        assertThat(fork.pageTable()[1]).isNotEqualTo(original.pageTable()[1]);
        assertThat(page(cache, fork, 1)).isEqualTo(page(cache, original, 1));
    }

    @Test
    void strangeAndClosedSequencesAreRefused() {
        KeyValueCache cache = cache(64);
        CachedSequence strange = cache(64).newSequence();
        assertThatIllegalArgumentException().isThrownBy(() -> cache.reserve(strange, 1))
                .withMessageContaining("another session");
        assertThatIllegalArgumentException().isThrownBy(() -> cache.checkOwns(strange));
        CachedSequence closed = grown(cache, 3);
        closed.close();
        assertThatIllegalStateException().isThrownBy(() -> cache.reserve(closed, 4)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(closed::fork);
        assertThatIllegalStateException().isThrownBy(() -> closed.truncate(0));
        assertThat(cache.freePositions()).isEqualTo(64);
    }

    /** Random growth, forks, truncation and closing against the plain truth: which page is reachable from where. */
    @Test
    void randomUseNeverLosesAPage() {
        Random random = new Random(7);
        KeyValueCache cache = cache(32 * 12);
        List<CachedSequence> open = new ArrayList<>();
        int full = 0;
        for (int i = 0; i < 20_000; i++) {
            CachedSequence one = open.isEmpty() ? null : open.get(random.nextInt(open.size()));
            switch (one == null ? 0 : random.nextInt(10)) {
                case 0 -> open.add(cache.newSequence());
                case 1 -> open.add(one.fork());
                case 2, 3 -> one.truncate(random.nextInt(one.length() + 1));
                case 4 -> {
                    one.close();
                    open.remove(one);
                }
                default -> {
                    int length = Math.min(CONTEXT, one.length() + 1 + random.nextInt(40));
                    try {
                        grow(cache, one, length);
                    } catch (CacheFullException _) {
                        full++;
                    }
                }
            }
            long reachable = open.stream().flatMapToInt(s -> Arrays.stream(s.pageTable(), 0, s.pageCount)).distinct()
                    .count();
            assertThat(cache.freePositions()).as("step %d", i).isEqualTo(32 * (12 - reachable));
        }
        assertThat(full).as("times the cache was full").isPositive();
        open.forEach(CachedSequence::close);
        assertThat(cache.freePositions()).isEqualTo(32 * 12);
    }

    /** Numbers that tell which page of which sequence they were written to. */
    private static void fill(KeyValueCache cache, CachedSequence sequence) {
        long floats = cache.memory().pageBytes() / Float.BYTES;
        for (int page = 0; page < sequence.pageCount; page++) {
            for (long i = 0; i < floats; i++) {
                pages(cache).memory()[sequence.pageTable()[page]].setAtIndex(ValueLayout.JAVA_FLOAT, i,
                        page * 1000 + i);
            }
        }
    }

    private static float[] page(KeyValueCache cache, CachedSequence sequence, int page) {
        return pages(cache).memory()[sequence.pageTable()[page]].toArray(ValueLayout.JAVA_FLOAT);
    }

    /** Two continuations of one beginning, as forks and as sequences of their own. */
    @Test
    void forksComputeWhatSeparateSequencesDo(@TempDir Path directory) throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 3, DType.F32);
        int[] beginning = new Random(1).ints(41, 0, 257).toArray();
        int[] left = new Random(2).ints(40, 0, 257).toArray();
        int[] right = new Random(3).ints(40, 0, 257).toArray();
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session session = model.openSession(SessionOptions.defaults().withCacheTokens(384))) {
            float[][] expectedLeft = alone(session, beginning, left);
            float[][] expectedRight = alone(session, beginning, right);

            try (Sequence one = session.newSequence()) {
                session.feed(one, beginning, 0, beginning.length);
                try (Sequence two = one.fork()) {
                    float[][] gotLeft = new float[left.length][];
                    float[][] gotRight = new float[right.length][];
                    for (int i = 0; i < left.length; i++) {
                        session.batch().clear();
                        session.batch().add(one, left, i, i + 1, Logits.LAST);
                        session.batch().add(two, right, i, i + 1, Logits.LAST);
                        session.step(session.batch());
                        gotLeft[i] = row(session, 0);
                        gotRight[i] = row(session, 1);
                    }
                    assertThat(Arrays.deepEquals(gotLeft, expectedLeft)).isTrue();
                    assertThat(Arrays.deepEquals(gotRight, expectedRight)).isTrue();
                    assertThat(Arrays.deepEquals(gotLeft, gotRight)).isFalse();

                    // Back to the fork's point, and along the other way.
                    two.truncate(beginning.length);
                    one.truncate(0);
                    assertThat(Arrays.deepEquals(continued(session, two, left), expectedLeft)).isTrue();
                }
            }
        }
    }

    @Test
    void aSessionRefusesStrangeAndClosedSequences(@TempDir Path directory) throws IOException {
        TestModels.write(directory, TestModels.Shape.ODD, 3, DType.F32);
        int[] tokens = new Random(1).ints(70, 0, 101).toArray();
        try (Engine engine = TestBackends.openScalar();
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session session = model.openSession(SessionOptions.defaults().withCacheTokens(96));
                Session other = model.openSession(SessionOptions.defaults())) {
            Sequence strange = other.newSequence();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> session.batch().add(strange, tokens, 0, 1, Logits.LAST))
                    .withMessageContaining("another session");
            assertThatIllegalArgumentException().isThrownBy(() -> session.step(other.batch()))
                    .withMessageContaining("another session");
            Sequence closed = session.newSequence();
            closed.close();
            assertThatIllegalStateException().isThrownBy(() -> session.batch().add(closed, tokens, 0, 1, Logits.LAST))
                    .withMessageContaining("closed");

            Sequence sequence = session.newSequence();
            session.batch().add(sequence, tokens, 0, 40, Logits.LAST);
            session.step(session.batch());
            assertThatIllegalStateException().as("the same batch again").isThrownBy(() -> session.step(session.batch()))
                    .withMessageContaining("changed since");
            session.batch().clear();
            session.batch().add(sequence, tokens, 40, 41, Logits.LAST);
            sequence.truncate(10);
            assertThatIllegalStateException().isThrownBy(() -> session.step(session.batch()));
            assertThat(sequence.length()).isEqualTo(10);
        }
    }

    @Test
    void aStepThatFindsTheCacheFullLeavesEverySequenceAsItWas(@TempDir Path directory) throws IOException {
        TestModels.write(directory, TestModels.Shape.ODD, 3, DType.F32);
        int[] tokens = new Random(1).ints(70, 0, 101).toArray();
        try (Engine engine = TestBackends.openScalar();
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Session session = model.openSession(SessionOptions.defaults().withCacheTokens(96))) {
            float[][] expected = alone(session, Arrays.copyOf(tokens, 32), Arrays.copyOfRange(tokens, 32, 64));
            Sequence one = session.newSequence();
            Sequence two = session.newSequence();
            session.feed(one, tokens, 0, 32);
            session.feed(two, tokens, 0, 32);
            // Two pages are in use, one is left, and two would be needed.
            session.batch().clear();
            session.batch().add(one, tokens, 32, 33, Logits.LAST);
            session.batch().add(two, tokens, 32, 33, Logits.LAST);
            assertThatExceptionOfType(CacheFullException.class).isThrownBy(() -> session.step(session.batch()));
            assertThat(one.length()).isEqualTo(32);
            assertThat(two.length()).isEqualTo(32);
            // The page that the first one could have had is still there for the second.
            assertThat(Arrays.deepEquals(continued(session, two, Arrays.copyOfRange(tokens, 32, 64)), expected))
                    .isTrue();
        }
    }

    @Test
    void severalSequencesGetRoomTogetherOrNotAtAll() {
        KeyValueCache cache = cache(160);
        CachedSequence one = grown(cache, 20);
        CachedSequence two = grown(cache, 20);
        cache.reserve(one, 64);
        assertThat(cache.freePositions()).isEqualTo(64);
        CachedSequence[] both = {one, two};
        assertThatExceptionOfType(CacheFullException.class)
                .isThrownBy(() -> cache.reserve(both, new int[]{0, 50, 110}, 2));
        assertThat(cache.freePositions()).as("what the first had reserved before stays its own").isEqualTo(64);
        assertThat(one.pageCount).isEqualTo(2);
        cache.reserve(both, new int[]{0, 50, 90}, 2);
        assertThat(cache.freePositions()).isZero();
    }

    private static float[][] alone(Session session, int[] beginning, int[] continuation) {
        try (Sequence sequence = session.newSequence()) {
            session.feed(sequence, beginning, 0, beginning.length);
            return continued(session, sequence, continuation);
        }
    }

    private static float[][] continued(Session session, Sequence sequence, int[] tokens) {
        float[][] logits = new float[tokens.length][];
        for (int i = 0; i < tokens.length; i++) {
            session.feed(sequence, tokens, i, i + 1);
            logits[i] = row(session, 0);
        }
        return logits;
    }

    private static float[] row(Session session, int row) {
        float[] logits = new float[session.model().outputs()];
        session.logits(row, logits);
        return logits;
    }
}
