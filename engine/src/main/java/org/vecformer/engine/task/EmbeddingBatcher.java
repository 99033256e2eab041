package org.vecformer.engine.task;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.call.OwnThread;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Makes vectors for many threads at once: what their calls bring is joined into runs of at most a number of tokens,
 * without padding. Results are those of an {@link Embedder}, to the bit, whoever else is in a run.
 * <p>
 * Nothing waits for a run to fill up: what has come in while one run computed is the next one. A text alone is run
 * alone at once. Requests take turns text by text, so that a long list does not hold up single texts.
 *
 * {@snippet file="org/vecformer/engine/snippets/EmbeddingSnippetsTest.java" region="batcher"}
 *
 * Texts are tokenized on the thread that calls. Runs are computed on one thread of the batcher (a daemon named {@code
 * vecformer-embedder}), which the engine's threads help. It costs two wake-ups of a thread for a call; but having one of
 * the callers compute for the others would leave out those who have a future, and a caller may be late, interrupted or a
 * virtual thread.
 * <p>
 * Thread-safe, for platform and virtual threads.
 */
public final class EmbeddingBatcher implements AutoCloseable {

    private final Bert model;
    private final InputEncoder encoder;
    private final EncoderSession session;
    private final EmbeddingQueue queue;
    private final Thread thread;
    // Written by the batcher's thread only.
    private volatile long runs;
    private volatile long sequences;
    private volatile long tokens;

    private EmbeddingBatcher(Bert model, Tokenizer tokenizer, EmbeddingBatcherOptions options) {
        this.model = model;
        encoder = new InputEncoder(model, tokenizer);
        session = model.openSession(new EncoderOptions(options.maxBatchTokens()));
        queue = new EmbeddingQueue(options.maxQueuedTokens());
        thread = Thread.ofPlatform().name("vecformer-embedder").daemon().inheritInheritableThreadLocals(false)
                .unstarted(this::work);
    }

    /**
     * With the model's tokenizer and {@link EmbeddingBatcherOptions#defaults}.
     *
     * @throws IOException if the tokenizer's files cannot be read
     */
    public static EmbeddingBatcher open(Bert model) throws IOException {
        return open(model, model.tokenizer(), EmbeddingBatcherOptions.defaults());
    }

    /**
     * Takes memory for a session, and starts the thread.
     *
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws org.vecformer.engine.MemoryLimitException if the engine's limit has no room for the session
     * @throws ClosedException                           if the model is closed
     */
    public static EmbeddingBatcher open(Bert model, Tokenizer tokenizer, EmbeddingBatcherOptions options) {
        EmbeddingBatcher batcher = new EmbeddingBatcher(model, tokenizer, options);
        try {
            batcher.thread.start();
            return batcher;
        } catch (Throwable e) {
            batcher.session.close();
            throw e;
        }
    }

    /** How many numbers the vectors have. */
    public int dimensions(EmbedderOptions options) {
        return EmbeddingRecipe.dimensions(model, options);
    }

    /** The vector of one input: {@link #embedAll(List, EmbedderOptions, Cancellation)}. */
    public Embedding embed(TaskInput input, EmbedderOptions options) {
        return embed(input, options, new Cancellation());
    }

    /** The vector of one input: {@link #embedAll(List, EmbedderOptions, Cancellation)}. */
    public Embedding embed(TaskInput input, EmbedderOptions options, Cancellation cancellation) {
        return embedAll(List.of(input), options, cancellation).getFirst();
    }

    /** {@link #embedAll(List, EmbedderOptions, Cancellation)}. */
    public List<Embedding> embedAll(List<TaskInput> inputs, EmbedderOptions options) {
        return embedAll(inputs, options, new Cancellation());
    }

    /**
     * The vectors of inputs, in their order. Blocks until they are there. If one input cannot be embedded, none is.
     *
     * @throws IllegalArgumentException                      as {@link Embedder#embedAll} does, or if there are more
     *                                                       tokens than may wait at all
     * @throws org.vecformer.engine.QueueFullException       if too much waits already
     * @throws CancellationException                         if it was cancelled, or the calling thread was interrupted,
     *                                                       before or meanwhile (which it stays)
     * @throws org.vecformer.engine.DeadlineException        if the cancellation is late
     * @throws org.vecformer.engine.MemoryLimitException     if the engine's limit has no room for a run with these inputs
     * @throws ClosedException                               if the batcher or the model is closed, before or meanwhile
     */
    public List<Embedding> embedAll(List<TaskInput> inputs, EmbedderOptions options, Cancellation cancellation) {
        if (Thread.currentThread().isInterrupted()) {
            // Not left to the future, which says so only if the result is not there first.
            throw new CancellationException("the thread was interrupted before it asked for an embedding");
        }
        EmbeddingRequest<List<Embedding>> request = add(inputs, options, Function.identity(), cancellation,
                Runnable::run);
        try {
            return request.future().get();
        } catch (InterruptedException _) {
            request.fail(new CancellationException("the thread was interrupted while it waited for an embedding"));
            Thread.currentThread().interrupt();
        } catch (ExecutionException | CancellationException _) {
            // Thrown below as what it is.
        }
        switch (request.failure()) {
            case null -> {
                // Interrupted, and the result was faster.
                return request.future().join();
            }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /** The vector of one input, later: {@link #submitAll}. */
    public CompletableFuture<Embedding> submit(TaskInput input, EmbedderOptions options, Cancellation cancellation) {
        return add(List.of(input), options, List::getFirst, cancellation, OwnThread::tell).future();
    }

    /**
     * The vectors of inputs, in their order, later. What can be said at once is thrown at once, as {@link
     * #embedAll(List, EmbedderOptions, Cancellation)} does: inputs that are not right, a full queue, a closed batcher.
     * <p>
     * Cancelling the future ends the request. Actions that depend on it run on a virtual thread: they may take their
     * time. What ends the request without a result completes the future; of a request that is late, {@code join} and
     * {@code get} throw a {@link CancellationException} whose cause is the {@link
     * org.vecformer.engine.DeadlineException}.
     */
    public CompletableFuture<List<Embedding>> submitAll(List<TaskInput> inputs, EmbedderOptions options,
            Cancellation cancellation) {
        return add(inputs, options, Function.identity(), cancellation, OwnThread::tell).future();
    }

    private <T> EmbeddingRequest<T> add(List<TaskInput> inputs, EmbedderOptions options,
            Function<List<Embedding>, T> result, Cancellation cancellation, Executor telling) {
        List<EmbeddingInput> all = new EmbeddingRecipe(model, encoder, options).inputs(inputs, queue::checkOpen);
        EmbeddingRequest<T> request = new EmbeddingRequest<>(all, result, cancellation, telling);
        if (inputs.isEmpty()) {
            request.finish();
        } else if (!request.isOver()) {
            queue.add(request);
        }
        return request;
    }

    private void work() {
        try (session) {
            while (queue.awaitWork()) {
                run(queue.fill(session.batch()));
            }
        } finally {
            queue.close();
        }
    }

    /** A run that fails, fails those who are in it. */
    private void run(List<EmbeddingRequest.Part> parts) {
        if (parts.isEmpty()) {
            return;
        }
        try {
            if (session.run(session.batch(), () -> isStopped(parts))) {
                runs++;
                sequences += parts.size();
                tokens += session.batch().rows();
                for (int i = 0; i < parts.size(); i++) {
                    parts.get(i).request().read(parts.get(i), session, i);
                }
            } else {
                fail(parts, new ClosedException("the embedding batcher was closed"));
            }
        } catch (Throwable e) {
            fail(parts, e);
        }
    }

    /** Between layers: whether nobody waits for the run any more. */
    private boolean isStopped(List<EmbeddingRequest.Part> parts) {
        queue.endDue();
        // Not a stream that ends early: all who are due are told.
        boolean over = true;
        for (EmbeddingRequest.Part part : parts) {
            over &= part.request().isOver();
        }
        return over || queue.isClosed();
    }

    private static void fail(List<EmbeddingRequest.Part> parts, Throwable why) {
        parts.forEach(part -> part.request().fail(why));
    }

    /** What there is to do, and what was done. */
    public EmbeddingLoad load() {
        return new EmbeddingLoad(queue.size(), queue.tokens(), runs, sequences, tokens);
    }

    /**
     * Ends in order: the run that computes ends before its next layer, all who wait get a {@link ClosedException}, the
     * thread ends and the session's memory is freed. The model stays open. A second call does nothing.
     */
    @Override
    public void close() {
        queue.close();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
