package org.vecformer.engine.call;

import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.Flow;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.generation.TokenListener;

/**
 * Carries what a generation tells to a consumer on another thread, who has it as a {@link #stream} or from a {@link
 * #publisher}. The generation begins when the consumer wants the first piece.
 * <p>
 * As a listener it never waits: what nobody has taken yet is kept, which the length of the text bounds. A generation that
 * is not to run ahead listens by {@link #atMostAhead}.
 */
public final class PieceQueue implements TokenListener {

    /** How often one who waits for room asks whether the generation shall end: nobody tells that a deadline has passed. */
    private static final long PATIENCE_MILLIS = 20;

    /** A generation that is yet to begin. */
    @FunctionalInterface
    public interface Source {

        /**
         * Begins it, on another thread. It tells the queue its pieces, asks it before each step and between layers whether
         * it {@linkplain PieceQueue#isCancelled is cancelled}, and calls {@link PieceQueue#end} when it is over and has let
         * go of what it works with.
         *
         * @throws RuntimeException if it cannot begin; the consumer gets it
         */
        void begin(PieceQueue queue);
    }

    private final Source source;
    private final Queue<TextPiece> pieces = new ArrayDeque<>();
    /** How many more pieces the consumer has asked for. */
    private long demand;
    private boolean begun;
    private boolean ended;
    private Throwable failure;
    /** Whether the consumer takes nothing more. */
    private boolean closed;
    private volatile boolean cancelled;

    PieceQueue(Source source) {
        this.source = Objects.requireNonNull(source, "source");
    }

    /**
     * The pieces of a generation as a stream, read by one thread, parallel or not. Closing it ends the generation and
     * waits until it is over, which is needed unless the stream was read to its end. What the generation throws comes
     * out of the stream, behind the pieces before it. When the thread that reads is interrupted, the generation ends as
     * one that was cancelled, with a {@link TextEnd}, and the thread's interrupt status stays set.
     */
    public static Stream<TextPiece> stream(Source source) {
        PieceQueue queue = new PieceQueue(source);
        queue.request(Long.MAX_VALUE);
        return StreamSupport.stream(new PieceSpliterator(queue), false).onClose(queue::close);
    }

    /**
     * The pieces of a generation for one subscriber; a second one gets an {@link IllegalStateException}. Signals come on a
     * virtual thread of the subscription's own, so that a subscriber may take its time.
     */
    public static Flow.Publisher<TextPiece> publisher(Source source) {
        return new PiecePublisher(new PieceQueue(source));
    }

    // ---- the generation's side

    @Override
    public void token(GeneratedToken token) {
        put(token);
    }

    @Override
    public void finished(TextEnd end) {
        put(end);
    }

    private synchronized void put(TextPiece piece) {
        if (!closed) {
            pieces.add(piece);
            notifyAll();
        }
    }

    /**
     * A listener that puts pieces here and has the generation wait, after each token, as long as so many of them wait for
     * the consumer.
     *
     * @param stop whether the generation shall end: then it need not wait
     */
    public TokenListener atMostAhead(int most, BooleanSupplier stop) {
        return new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
                put(token);
                awaitRoom(most, stop);
            }

            @Override
            public void finished(TextEnd end) {
                put(end);
            }
        };
    }

    private synchronized void awaitRoom(int most, BooleanSupplier stop) {
        try {
            while (pieces.size() >= most && !stop.getAsBoolean()) {
                wait(PATIENCE_MILLIS);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the consumer wants the generation to end. */
    public boolean isCancelled() {
        return cancelled;
    }

    /**
     * The generation is over.
     *
     * @param failure what it threw; null if nothing
     */
    public synchronized void end(Throwable failure) {
        ended = true;
        this.failure = failure;
        notifyAll();
    }

    // ---- the consumer's side

    /** The consumer wants so many more pieces. */
    synchronized void request(long count) {
        demand = demand + count < 0 ? Long.MAX_VALUE : demand + count;
        notifyAll();
    }

    /**
     * Waits for the next piece that was requested; begins the generation if it is the first one. For one thread at a
     * time. If that is interrupted, the generation is cancelled, and what it still tells is waited for.
     *
     * @return null at the end
     * @throws RuntimeException what the generation threw
     */
    TextPiece take() {
        awaitTurn();
        if (isFirst()) {
            // Not synchronized: a source may have a lock of its own, which it holds when it tells us something.
            try {
                source.begin(this);
            } catch (RuntimeException | Error e) {
                end(e);
            }
        }
        awaitTurn();
        return next();
    }

    private synchronized void awaitTurn() {
        boolean interrupted = Thread.interrupted();
        cancelled |= interrupted;
        while (!hasTurn()) {
            try {
                wait();
            } catch (InterruptedException _) {
                interrupted = true;
                cancelled = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean hasTurn() {
        boolean something = !begun || !pieces.isEmpty();
        return closed || (something ? demand > 0 : ended);
    }

    private synchronized boolean isFirst() {
        boolean first = !begun && !closed;
        begun |= first;
        return first;
    }

    private synchronized TextPiece next() {
        TextPiece piece = pieces.poll();
        if (piece != null) {
            demand -= demand == Long.MAX_VALUE ? 0 : 1;
            notifyAll();
        } else if (!closed && failure != null) {
            throw switch (failure) {
                case RuntimeException e -> e;
                case Error e -> throw e;
                default -> new IllegalStateException("the generation failed", failure);
            };
        }
        return piece;
    }

    /** The consumer takes nothing more, and the generation is cancelled. Does not wait for its end. */
    synchronized void cancel() {
        cancelled = true;
        closed = true;
        pieces.clear();
        notifyAll();
    }

    /** {@link #cancel}, and waits for the end. */
    synchronized void close() {
        cancel();
        boolean interrupted = false;
        while (begun && !ended) {
            try {
                wait();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
