package org.vecformer.engine.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.generation.TextPiece;

/** The rules of Reactive Streams 1.0.4, by their numbers. */
class PiecePublisherTest {

    /** Records signals, and checks that none comes before onSubscribe, during another one, or behind the last. */
    private static class Recorder implements Flow.Subscriber<TextPiece> {
        final List<Object> signals = new CopyOnWriteArrayList<>();
        final CountDownLatch over = new CountDownLatch(1);
        final AtomicBoolean busy = new AtomicBoolean();
        final AtomicInteger mistakes = new AtomicInteger();
        volatile Flow.Subscription subscription;
        /** Who calls onNext. */
        volatile Thread signaller;

        void signal(Object what) {
            if (!busy.compareAndSet(false, true) || subscription == null || over.getCount() == 0) {
                mistakes.incrementAndGet();
            }
            signals.add(what);
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            signal("subscribed");
            subscribed();
            busy.set(false);
        }

        @Override
        public void onNext(TextPiece piece) {
            signaller = Thread.currentThread();
            signal(piece.text());
            next(piece);
            busy.set(false);
        }

        @Override
        public void onError(Throwable failure) {
            signal(failure);
            over.countDown();
        }

        @Override
        public void onComplete() {
            signal("complete");
            over.countDown();
        }

        void subscribed() {
        }

        void next(TextPiece piece) {
        }

        List<Object> all() throws InterruptedException {
            over.await();
            assertThat(mistakes).hasValue(0);
            return signals;
        }

        Throwable failure() throws InterruptedException {
            return (Throwable) all().getLast();
        }

        void awaitSignals(int count) {
            ScriptedGeneration.await(() -> signals.size() >= count);
        }
    }

    /** Without a stack trace, which would be logged. */
    private static final class Mistake extends RuntimeException {
        private static final long serialVersionUID = 1;

        Mistake() {
            super("a test's", null, false, false);
        }
    }

    private static void subscribe(PieceQueue.Source source, Recorder recorder) {
        PieceQueue.publisher(source).subscribe(recorder);
    }

    /** 1.1, 1.3, 1.5: onSubscribe, what was requested, onComplete. */
    @Test
    void allIsToldInOrder() throws InterruptedException {
        Recorder recorder = new Recorder() {
            @Override
            void subscribed() {
                subscription.request(Long.MAX_VALUE);
                subscription.request(Long.MAX_VALUE);
            }
        };
        subscribe(new ScriptedGeneration(100, 3, null), recorder);
        assertThat(recorder.all()).hasSize(103).startsWith("subscribed", "0", "1").endsWith("98", "99", ".",
                "complete");
    }

    /** 1.1: never more than was requested, and nothing is computed for nobody. */
    @Test
    void demandIsKept() {
        ScriptedGeneration generation = new ScriptedGeneration(1000, 3, null);
        Recorder recorder = new Recorder();
        subscribe(generation, recorder);
        assertThat(generation.begun).hasValue(0);
        recorder.subscription.request(2);
        recorder.awaitSignals(3);
        recorder.subscription.request(1);
        recorder.subscription.request(4);
        recorder.awaitSignals(8);
        // As far ahead as it ever gets: what it told would have been signalled, if that were not kept back.
        ScriptedGeneration.await(() -> generation.written.get() == 10);
        assertThat(recorder.signals).containsExactly("subscribed", "0", "1", "2", "3", "4", "5", "6");
        recorder.subscription.cancel();
        ScriptedGeneration.await(() -> generation.over.getCount() == 0);
        assertThat(generation.written).hasValue(10);
    }

    /** 1.4, 1.5: the end needs no demand. */
    @Test
    void theEndIsToldWithoutDemand() throws InterruptedException {
        Recorder recorder = new Recorder();
        subscribe(new ScriptedGeneration(2, 3, null), recorder);
        recorder.subscription.request(3);
        assertThat(recorder.all()).containsExactly("subscribed", "0", "1", ".", "complete");
    }

    /** 1.4: a failure is told, behind the pieces before it. */
    @Test
    void aFailureIsTold() throws InterruptedException {
        RuntimeException mine = new IllegalStateException("mine");
        Recorder recorder = new Recorder();
        subscribe(new ScriptedGeneration(2, 3, mine), recorder);
        recorder.subscription.request(100);
        assertThat(recorder.all()).containsExactly("subscribed", "0", "1", mine);
        Recorder refused = new Recorder();
        subscribe(_ -> {
            throw mine;
        }, refused);
        refused.subscription.request(1);
        assertThat(refused.all()).containsExactly("subscribed", mine);
    }

    /** 1.9. */
    @Test
    void aSubscriberIsNeeded() {
        assertThatNullPointerException()
                .isThrownBy(() -> PieceQueue.publisher(new ScriptedGeneration(2, 3, null)).subscribe(null));
    }

    /** 1.11: it is up to the publisher; this one has one subscriber, and tells the others so behind onSubscribe. */
    @Test
    void aSecondSubscriberIsRefused() throws InterruptedException {
        ScriptedGeneration generation = new ScriptedGeneration(2, 3, null);
        Flow.Publisher<TextPiece> publisher = PieceQueue.publisher(generation);
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        publisher.subscribe(first);
        publisher.subscribe(second);
        assertThat(second.failure()).isInstanceOf(IllegalStateException.class);
        assertThat(second.signals).hasSize(2).startsWith("subscribed");
        first.subscription.request(9);
        assertThat(first.all()).endsWith(".", "complete");
        publisher.subscribe(first);
        assertThat(generation.begun).hasValue(1);
    }

    /** 3.3: request does not call back, however often it is called from onNext. */
    @Test
    void requestsFromOnNextDoNotRecurse() throws InterruptedException {
        AtomicInteger depth = new AtomicInteger();
        AtomicInteger deepest = new AtomicInteger();
        Recorder recorder = new Recorder() {
            @Override
            void subscribed() {
                subscription.request(1);
            }

            @Override
            void next(TextPiece piece) {
                deepest.accumulateAndGet(depth.incrementAndGet(), Math::max);
                subscription.request(1);
                depth.decrementAndGet();
            }
        };
        subscribe(new ScriptedGeneration(20_000, 3, null), recorder);
        assertThat(recorder.all()).hasSize(20_003);
        assertThat(deepest).hasValue(1);
    }

    /** 3.6, 3.7, 3.12: behind cancel there is nothing, and the generation ends. */
    @Test
    void nothingComesBehindCancel() throws InterruptedException {
        ScriptedGeneration generation = new ScriptedGeneration(Integer.MAX_VALUE, 3, null);
        Recorder recorder = new Recorder() {
            @Override
            void next(TextPiece piece) {
                if (piece.text().equals("4")) {
                    subscription.cancel();
                    subscription.cancel();
                    subscription.request(5);
                    subscription.request(-1);
                }
            }
        };
        subscribe(generation, recorder);
        recorder.subscription.request(Long.MAX_VALUE);
        generation.over.await();
        recorder.signaller.join();
        assertThat(recorder.signals).containsExactly("subscribed", "0", "1", "2", "3", "4");
        ScriptedGeneration unread = new ScriptedGeneration(5, 3, null);
        Recorder uninterested = new Recorder() {
            @Override
            void subscribed() {
                subscription.request(2);
                subscription.cancel();
            }
        };
        subscribe(unread, uninterested);
        assertThat(uninterested.signals).containsExactly("subscribed");
        assertThat(unread.begun).hasValue(0);
    }

    /** 3.9: also while nothing has been requested, and while pieces wait. */
    @Test
    void aRequestForNothingIsAnError() throws InterruptedException {
        for (long count : new long[]{0, -1, Long.MIN_VALUE}) {
            ScriptedGeneration unread = new ScriptedGeneration(5, 3, null);
            Recorder recorder = new Recorder();
            subscribe(unread, recorder);
            recorder.subscription.request(count);
            assertThat(recorder.failure()).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(String.valueOf(count));
            assertThat(unread.begun).hasValue(0);
            ScriptedGeneration read = new ScriptedGeneration(Integer.MAX_VALUE, 3, null);
            Recorder second = new Recorder();
            subscribe(read, second);
            second.subscription.request(1);
            second.awaitSignals(2);
            second.subscription.request(count);
            assertThat(second.failure()).isInstanceOf(IllegalArgumentException.class);
            assertThat(second.signals).hasSize(3);
            read.over.await();
        }
    }

    /** 2.13: a subscriber that throws gets nothing more, and the generation ends. */
    @Test
    void aSubscriberThatThrowsHasCancelled() throws InterruptedException {
        ScriptedGeneration generation = new ScriptedGeneration(Integer.MAX_VALUE, 3, null);
        Recorder recorder = new Recorder() {
            @Override
            void next(TextPiece piece) {
                if (piece.text().equals("1")) {
                    throw new Mistake();
                }
            }
        };
        subscribe(generation, recorder);
        recorder.subscription.request(Long.MAX_VALUE);
        generation.over.await();
        recorder.signaller.join();
        assertThat(recorder.signals).containsExactly("subscribed", "0", "1");
        ScriptedGeneration unread = new ScriptedGeneration(5, 3, null);
        Recorder refusing = new Recorder() {
            @Override
            void subscribed() {
                subscription.request(1);
                throw new Mistake();
            }
        };
        subscribe(unread, refusing);
        assertThat(refusing.signals).containsExactly("subscribed");
        assertThat(unread.begun).hasValue(0);
    }

    @Test
    void aSlowSubscriberHoldsUpTheGeneration() throws InterruptedException {
        ScriptedGeneration generation = new ScriptedGeneration(200, 3, null);
        AtomicInteger taken = new AtomicInteger();
        AtomicInteger farthest = new AtomicInteger();
        Recorder recorder = new Recorder() {
            @Override
            void next(TextPiece piece) {
                int number = taken.incrementAndGet();
                if (number % 50 == 0) {
                    ScriptedGeneration.await(() -> generation.written.get() == Math.min(200, number + 3));
                }
                farthest.accumulateAndGet(generation.written.get() - number, Math::max);
            }
        };
        subscribe(generation, recorder);
        recorder.subscription.request(Long.MAX_VALUE);
        assertThat(recorder.all()).hasSize(203);
        assertThat(farthest).hasValue(3);
    }
}
