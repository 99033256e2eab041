package org.vecformer.engine.call;

import java.lang.System.Logger.Level;
import java.util.Objects;
import java.util.concurrent.Flow;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.atomic.AtomicBoolean;
import org.vecformer.engine.generation.TextPiece;

/**
 * Publishes the pieces of a queue to its one subscriber, by the rules of Reactive Streams 1.0.4. A virtual thread takes
 * them as they are requested: therefore signals come one after the other, {@code request} never calls back, and a
 * subscriber that waits holds up nobody else.
 */
final class PiecePublisher implements Flow.Publisher<TextPiece> {

    private static final Flow.Subscription NOTHING = new Flow.Subscription() {
        @Override
        public void request(long count) {
        }

        @Override
        public void cancel() {
        }
    };

    private final PieceQueue queue;
    private final AtomicBoolean taken = new AtomicBoolean();

    PiecePublisher(PieceQueue queue) {
        this.queue = queue;
    }

    @Override
    public void subscribe(Subscriber<? super TextPiece> subscriber) {
        Objects.requireNonNull(subscriber, "subscriber");
        if (taken.getAndSet(true)) {
            subscriber.onSubscribe(NOTHING);
            subscriber.onError(new IllegalStateException(
                    "this publisher has had its subscriber: a generation is for one, publish another for the next"));
            return;
        }
        Subscription subscription = new Subscription(queue, subscriber);
        subscription.guarded(() -> subscriber.onSubscribe(subscription));
        if (!subscription.cancelled) {
            Thread.ofVirtual().name("vecformer-publisher").inheritInheritableThreadLocals(false).start(subscription);
        }
    }

    /** Signals what the subscriber has asked for. */
    private static final class Subscription implements Flow.Subscription, Runnable {
        private final PieceQueue queue;
        private final Subscriber<? super TextPiece> subscriber;
        /** What the subscriber has done wrong; null for nothing. */
        private volatile IllegalArgumentException mistake;
        private volatile boolean cancelled;

        Subscription(PieceQueue queue, Subscriber<? super TextPiece> subscriber) {
            this.queue = queue;
            this.subscriber = subscriber;
        }

        @Override
        public void request(long count) {
            if (count > 0) {
                queue.request(count);
            } else {
                mistake = new IllegalArgumentException(
                        count + " pieces are requested; expected 1 or more (Reactive Streams, rule 3.9)");
                queue.cancel();
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            queue.cancel();
        }

        @Override
        public void run() {
            Throwable failure = null;
            try {
                for (TextPiece piece = queue.take(); piece != null; piece = queue.take()) {
                    TextPiece next = piece;
                    guarded(() -> subscriber.onNext(next));
                }
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            Throwable error = mistake == null ? failure : mistake;
            guarded(error == null ? subscriber::onComplete : () -> subscriber.onError(error));
        }

        /** Signals, unless it is cancelled. A subscriber that throws, which it must not, has cancelled thereby. */
        private void guarded(Runnable signal) {
            try {
                if (!cancelled) {
                    signal.run();
                }
            } catch (RuntimeException | Error e) {
                cancel();
                System.getLogger(PiecePublisher.class.getName()).log(Level.WARNING,
                        "a subscriber threw an exception, which it must not: it gets nothing more", e);
            }
        }
    }
}
