package org.vecformer.engine.task;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.model.EncoderBatch;

/**
 * The requests that wait for a run. They take turns: each gives a window, and goes to the end of the queue with the rest
 * of its windows, so that a long list of texts does not hold up the single texts behind it. Thread-safe.
 */
final class EmbeddingQueue {

    private final int maxTokens;
    private final Deque<EmbeddingRequest<?>> waiting = new ArrayDeque<>();
    private long tokens;
    private boolean closed;

    EmbeddingQueue(int maxTokens) {
        this.maxTokens = maxTokens;
    }

    /**
     * Appends a request.
     *
     * @throws IllegalArgumentException if it has more tokens than may wait
     * @throws QueueFullException       if it has, together with those that wait
     * @throws ClosedException          after {@link #close}
     */
    synchronized void add(EmbeddingRequest<?> request) {
        checkOpen();
        if (request.waitingTokens() > maxTokens) {
            throw new IllegalArgumentException("the texts of one request have " + request.waitingTokens()
                    + " tokens; expected at most " + maxTokens + ", which the queue has room for (maxQueuedTokens)");
        }
        if (tokens + request.waitingTokens() > maxTokens) {
            endDue();
        }
        if (tokens + request.waitingTokens() > maxTokens) {
            throw new QueueFullException(tokens + " tokens wait to be embedded; there is no room for "
                    + request.waitingTokens() + " more, the queue takes " + maxTokens + " (maxQueuedTokens)");
        }
        waiting.addLast(request);
        tokens += request.waitingTokens();
        notifyAll();
    }

    /** Waits until there is something to run; false if the queue is closed. */
    synchronized boolean awaitWork() {
        while (waiting.isEmpty() && !closed) {
            try {
                wait();
            } catch (InterruptedException _) {
                // Nobody has a reason to interrupt the thread that computes for all; closing the queue ends it.
            }
        }
        return !closed;
    }

    /**
     * Fills a batch with what waits, as far as it fits: the first in turn first. A window that the model cannot take
     * fails its request.
     *
     * @param batch is cleared before
     * @return the batch's sequences
     */
    synchronized List<EmbeddingRequest.Part> fill(EncoderBatch batch) {
        List<EmbeddingRequest.Part> run = new ArrayList<>();
        batch.clear();
        endDue();
        while (!waiting.isEmpty() && batch.fits(waiting.getFirst().nextLength())) {
            EmbeddingRequest<?> request = waiting.removeFirst();
            tokens -= request.nextLength();
            EmbeddingRequest.Part part = request.take();
            try {
                batch.add(part.sequence());
                run.add(part);
                if (request.isWaiting()) {
                    waiting.addLast(request);
                }
            } catch (RuntimeException | Error e) {
                tokens -= request.waitingTokens();
                request.fail(e);
            }
        }
        return run;
    }

    /** Takes out the requests that were cancelled or are late. */
    synchronized void endDue() {
        for (Iterator<EmbeddingRequest<?>> all = waiting.iterator(); all.hasNext();) {
            EmbeddingRequest<?> request = all.next();
            if (request.isOver()) {
                tokens -= request.waitingTokens();
                all.remove();
            }
        }
    }

    /** How many requests wait. */
    synchronized int size() {
        return waiting.size();
    }

    /** How many tokens wait. */
    synchronized long tokens() {
        return tokens;
    }

    /** Fails all that wait with a {@link ClosedException}, and all that come. */
    synchronized void close() {
        closed = true;
        while (!waiting.isEmpty()) {
            waiting.removeFirst().fail(new ClosedException("the embedding batcher was closed"));
        }
        tokens = 0;
        notifyAll();
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** @throws ClosedException after {@link #close} */
    synchronized void checkOpen() {
        if (closed) {
            throw new ClosedException("the embedding batcher is closed");
        }
    }
}
