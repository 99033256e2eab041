package org.vecformer.engine.task;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderSession;

/**
 * What one call wants of an {@link EmbeddingBatcher}: inputs whose windows are taken one after the other into runs. It
 * ends once: with its result, a failure, or because it was cancelled. Ending it is for any thread, the rest for the one
 * that fills and computes runs.
 *
 * @param <T> what the call gives
 */
final class EmbeddingRequest<T> {

    private final List<EmbeddingInput> inputs;
    private final Function<List<Embedding>, T> result;
    private final Cancellation cancellation;
    private final Executor telling;
    private final CompletableFuture<T> future = new CompletableFuture<>();
    private Throwable failure;
    private boolean ended;
    private int input;
    private int window;
    private long waitingTokens;
    private int unread;

    /** A window that was taken into a run. */
    record Part(EmbeddingRequest<?> request, EmbeddingInput input, int window) {

        EncoderInput sequence() {
            return input.windows().get(window);
        }
    }

    /**
     * @param result  made of their embeddings
     * @param telling on what the future is completed
     */
    EmbeddingRequest(List<EmbeddingInput> inputs, Function<List<Embedding>, T> result, Cancellation cancellation,
            Executor telling) {
        this.inputs = inputs;
        this.result = result;
        this.cancellation = cancellation;
        this.telling = telling;
        for (EmbeddingInput input : inputs) {
            unread += input.windows().size();
            waitingTokens += input.windows().stream().mapToLong(EncoderInput::length).sum();
        }
    }

    /** Completed when the request ends. Who cancels it ends the request. */
    CompletableFuture<T> future() {
        return future;
    }

    /** Why there is no result; null while it has not ended, and if there is one. */
    synchronized Throwable failure() {
        return failure;
    }

    /** Tokens of windows that were not taken yet. */
    long waitingTokens() {
        return waitingTokens;
    }

    /** Whether there are windows that were not taken yet. */
    boolean isWaiting() {
        return input < inputs.size();
    }

    /** Tokens of the next window. */
    int nextLength() {
        return inputs.get(input).windows().get(window).length();
    }

    /** Takes the next window. */
    Part take() {
        waitingTokens -= nextLength();
        Part part = new Part(this, inputs.get(input), window);
        if (++window == part.input.windows().size()) {
            input++;
            window = 0;
        }
        return part;
    }

    /** Takes what the model says of a part; the last one ends the request. */
    void read(Part part, EncoderSession session, int sequence) {
        try {
            part.input.read(session, sequence, part.window);
            if (--unread == 0) {
                finish();
            }
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    /** Ends it with its result, unless it has ended; all parts have been read. */
    void finish() {
        T value = result.apply(inputs.stream().map(EmbeddingInput::embedding).toList());
        if (end(null)) {
            telling.execute(() -> future.complete(value));
        }
    }

    /** Ends it without a result, unless it has ended. */
    void fail(Throwable why) {
        if (end(why)) {
            telling.execute(() -> future.completeExceptionally(why));
        }
    }

    /** Whether it has ended; ends it if that is due. */
    boolean isOver() {
        if (cancellation.isDue()) {
            fail(cancellation.isCancelled()
                    ? new CancellationException("the embedding was cancelled")
                    : new DeadlineException("the embedding's deadline has passed"));
        }
        return hasEnded();
    }

    private synchronized boolean hasEnded() {
        return ended || future.isDone();
    }

    private synchronized boolean end(Throwable why) {
        boolean first = !ended;
        if (first) {
            ended = true;
            failure = why;
        }
        return first;
    }
}
