package org.vecformer.engine.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;

class PieceQueueTest {

    @Test
    void piecesComeInOrderAndEnd() {
        ScriptedGeneration generation = new ScriptedGeneration(1000, 3, null);
        try (Stream<TextPiece> stream = PieceQueue.stream(generation)) {
            List<TextPiece> pieces = stream.toList();
            assertThat(pieces).hasSize(1001);
            for (int i = 0; i < 1000; i++) {
                assertThat(pieces.get(i)).isEqualTo(new GeneratedToken(0, i, String.valueOf(i), null));
            }
            assertThat(pieces.getLast()).isEqualTo(new TextEnd(0, ".", FinishReason.LENGTH));
        }
        assertThat(generation.begun).hasValue(1);
    }

    @Test
    void aStreamIsReadByOneThreadThoughItIsParallel() {
        ScriptedGeneration generation = new ScriptedGeneration(200, 3, null);
        try (Stream<TextPiece> stream = PieceQueue.stream(generation).parallel()) {
            assertThat(stream.map(TextPiece::text).limit(50)).hasSize(50).startsWith("0", "1", "2").endsWith("49");
        }
        assertThat(generation.written.get()).as("50 and at most 3 ahead, and the one that is told").isLessThan(55);
    }

    @Test
    void theGenerationBeginsWithTheFirstPiece() {
        ScriptedGeneration unread = new ScriptedGeneration(10, 3, null);
        PieceQueue.stream(unread).close();
        Stream<TextPiece> closed = PieceQueue.stream(unread).map(piece -> piece);
        closed.close();
        assertThat(unread.begun).hasValue(0);
        ScriptedGeneration read = new ScriptedGeneration(10, 3, null);
        try (Stream<TextPiece> stream = PieceQueue.stream(read)) {
            Iterator<TextPiece> iterator = stream.iterator();
            assertThat(read.begun).hasValue(0);
            assertThat(iterator.next().text()).isEqualTo("0");
            assertThat(read.begun).hasValue(1);
        }
    }

    @Test
    void aGenerationThatMayNotRunAheadWaits() {
        ScriptedGeneration generation = new ScriptedGeneration(500, 3, null);
        try (Stream<TextPiece> stream = PieceQueue.stream(generation)) {
            Iterator<TextPiece> iterator = stream.iterator();
            for (int taken = 1; taken <= 400; taken++) {
                iterator.next();
                assertThat(generation.written.get()).isBetween(taken, taken + 3);
                if (taken % 100 == 0) {
                    int most = taken + 3;
                    ScriptedGeneration.await(() -> generation.written.get() == most);
                }
            }
        }
    }

    @Test
    void oneThatMayRunAheadNeverWaits() throws InterruptedException {
        ScriptedGeneration generation = new ScriptedGeneration(5000, 0, null);
        try (Stream<TextPiece> stream = PieceQueue.stream(generation)) {
            Iterator<TextPiece> iterator = stream.iterator();
            assertThat(iterator.next().text()).isEqualTo("0");
            generation.over.await();
            assertThat(generation.written).hasValue(5000);
            List<String> rest = new ArrayList<>();
            iterator.forEachRemaining(piece -> rest.add(piece.text()));
            assertThat(rest).hasSize(5000).endsWith("4999", ".");
        }
    }

    @Test
    void closingEndsTheGenerationAndWaitsForIt() {
        ScriptedGeneration generation = new ScriptedGeneration(Integer.MAX_VALUE, 3, null);
        Stream<TextPiece> stream = PieceQueue.stream(generation);
        stream.iterator().next();
        stream.close();
        assertThat(generation.over.getCount()).as("generations that go on").isZero();
        assertThat(generation.written.get()).isLessThan(6);
    }

    @Test
    void aConsumerThatWaitsEndsWhenAnotherThreadCloses() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        // Begins and never tells anything before it is cancelled.
        Stream<TextPiece> stream = PieceQueue.stream(queue -> Thread.ofVirtual().start(() -> {
            begun.countDown();
            ScriptedGeneration.await(queue::isCancelled);
            queue.end(null);
        }));
        FutureTask<List<TextPiece>> read = new FutureTask<>(stream::toList);
        Thread.ofVirtual().start(read);
        begun.await();
        stream.close();
        assertThat(read.get()).isEmpty();
    }

    @Test
    void whatTheGenerationThrowsComesBehindItsPieces() {
        RuntimeException mine = new IllegalStateException("mine");
        List<String> texts = new ArrayList<>();
        try (Stream<TextPiece> stream = PieceQueue.stream(new ScriptedGeneration(20, 3, mine))) {
            assertThatThrownBy(() -> stream.forEach(piece -> texts.add(piece.text()))).isSameAs(mine);
        }
        assertThat(texts).hasSize(20);
    }

    @Test
    void aGenerationThatCannotBeginSaysWhy() {
        RuntimeException mine = new IllegalStateException("mine");
        try (Stream<TextPiece> stream = PieceQueue.stream(_ -> {
            throw mine;
        })) {
            assertThatThrownBy(stream::toList).isSameAs(mine);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptedReaderEndsTheGeneration(boolean virtual) throws Exception {
        ScriptedGeneration generation = new ScriptedGeneration(Integer.MAX_VALUE, 3, null);
        List<TextPiece> pieces = read(virtual, generation, 10);
        assertThat(pieces).hasSizeGreaterThan(10);
        assertThat(pieces.getLast()).isInstanceOfSatisfying(TextEnd.class,
                end -> assertThat(end.reason()).isEqualTo(FinishReason.CANCELLED));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReaderThatIsInterruptedWhileItWaitsEndsTheGeneration(boolean virtual) throws Exception {
        Thread[] reader = new Thread[1];
        PieceQueue.Source source = queue -> {
            reader[0] = Thread.currentThread();
            Thread.ofVirtual().start(() -> {
                ScriptedGeneration.await(() -> reader[0].getState() == Thread.State.WAITING);
                reader[0].interrupt();
                ScriptedGeneration.await(queue::isCancelled);
                queue.finished(new TextEnd(0, "", FinishReason.CANCELLED));
                queue.end(null);
            });
        };
        assertThat(read(virtual, source, Integer.MAX_VALUE))
                .containsExactly(new TextEnd(0, "", FinishReason.CANCELLED));
    }

    /** All pieces, read by a thread that interrupts itself behind so many and is still interrupted in the end. */
    private static List<TextPiece> read(boolean virtual, PieceQueue.Source source, int pieces)
            throws InterruptedException, ExecutionException {
        FutureTask<List<TextPiece>> read = new FutureTask<>(() -> {
            List<TextPiece> all = new ArrayList<>();
            try (Stream<TextPiece> stream = PieceQueue.stream(source)) {
                stream.forEach(piece -> {
                    all.add(piece);
                    if (all.size() == pieces) {
                        Thread.currentThread().interrupt();
                    }
                });
            }
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            return all;
        });
        ThreadFactory threads = virtual ? Thread.ofVirtual().factory() : Thread.ofPlatform().factory();
        threads.newThread(read).start();
        return read.get();
    }
}
