package org.vecformer.engine.generation;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.call.PieceQueue;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Writes the texts of many threads at once: what a server gives its requests to. All that are running take part in each
 * step of one session (continuous batching; Yu et al. 2022, "Orca", OSDI), so that the weights are read once for all of
 * them; a new one joins, and one that is finished leaves, between two steps. Each gets the same text as alone, from the
 * same seed: on the CPU the same to the last bit, whatever else runs.
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="schedule"}
 *
 * <b>Order and memory.</b> Requests are begun in the order in which they came, each when as many positions of the cache
 * are free as it may need at most, and not before those that came earlier: bound the number of new tokens, since a request
 * without a bound takes a whole context. A request that was begun never fails for want of cache. Each text that is
 * written gets a token from each step, and a long prompt is read in parts, so that it does not hold up others.
 * <p>
 * <b>What can be asked for.</b> Greedy search and random sampling, with samplers, constraints, stop texts, token types,
 * log-probabilities and several sequences. What needs a session of its own is refused: beams, contrastive search, drafts,
 * guidance, prompt caches and work without a cache.
 * <p>
 * <b>Ending early.</b> A {@link Cancellation}, {@link Stopping#maxTime} (which counts from the submission, as does the
 * result's {@link Timing}) and {@link CompletableFuture#cancel} are looked at between steps, also while a request waits
 * and while its prompt is read. The result of a request that was cancelled or late has what was written until then.
 * <p>
 * <b>Threads.</b> Thread-safe. A daemon thread of its own computes, with those of the engine. On it listeners, stop
 * conditions and samplers of users are called, which have to be quick, as all texts wait for them; what they throw ends
 * their request alone. Futures are completed on virtual threads, so that what hangs on them may take its time. If the
 * model is closed or the device fails, the requests that run get that exception, and so do those that wait; the scheduler
 * is closed then.
 */
public final class Scheduler implements AutoCloseable {

    private final Gpt model;
    private final Tokenizer tokenizer;
    private final Prompts prompts;
    private final int maxQueued;
    private final Session session;
    private final ContinuousBatch running;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    /** There is a request, or it was closed. */
    private final Condition changed = lock.newCondition();
    private final Queue<ScheduledRequest> waiting = new ArrayDeque<>();
    private volatile boolean closed;
    /** What it ended with; null if it was closed in order. */
    private Throwable failure;

    private Scheduler(Gpt model, Tokenizer tokenizer, SchedulerOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        prompts = new Prompts(model, tokenizer);
        maxQueued = options.maxQueued();
        session = model.openSession(options.session(model.config().contextLength()));
        try {
            // As much as there may ever be, each text having a page at least: none may fail for want of memory later.
            session.reserveLogits((int) Math.min(options.maxBatchTokens(),
                    session.cachePositions() / KeyValueMemory.POSITIONS));
            running = new ContinuousBatch(session, options.promptTokens(), () -> closed);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
        thread = Thread.ofPlatform().name("vecformer-scheduler").daemon().inheritInheritableThreadLocals(false)
                .unstarted(this::run);
    }

    /**
     * A scheduler with the model's tokenizer and the {@linkplain SchedulerOptions#defaults() usual bounds}.
     *
     * @throws IOException              if the tokenizer cannot be read
     * @throws IllegalArgumentException if the model is no language model
     * @throws MemoryLimitException     if the engine's limit has no room for the cache
     */
    public static Scheduler open(Gpt model) throws IOException {
        return open(model, model.tokenizer(), SchedulerOptions.defaults());
    }

    /**
     * A scheduler with bounds of its own.
     *
     * @param tokenizer the model's; null if prompts are given as ids and no text is wanted
     * @throws IllegalArgumentException if the model is no language model
     * @throws MemoryLimitException     if the engine's limit has no room for the cache
     */
    public static Scheduler open(Gpt model, Tokenizer tokenizer, SchedulerOptions options) {
        DecodingLoop.checkLanguageModel(model);
        Scheduler scheduler = new Scheduler(model, tokenizer, options);
        try {
            scheduler.thread.start();
            return scheduler;
        } catch (Throwable e) {
            // No thread to be had: nobody else would free the session.
            scheduler.running.close();
            throw e;
        }
    }

    /** The model, its tokenizer, and what prompts they take: for who counts tokens before a request. */
    public Prompts prompts() {
        return prompts;
    }

    /** As {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)}, of a text, and waits for the result. */
    public GenerationResult generate(String prompt, GenerationOptions options) throws InterruptedException {
        return generate(prompts.ids(prompt), options);
    }

    /** As {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)}, and waits for the result. */
    public GenerationResult generate(int[] prompt, GenerationOptions options) throws InterruptedException {
        return generate(prompt, options, TokenListener.NONE, new Cancellation());
    }

    /** As {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)}, of a text, and waits for the result. */
    public GenerationResult generate(String prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) throws InterruptedException {
        return generate(prompts.ids(prompt), options, listener, cancellation);
    }

    /**
     * As {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)}, and waits for the result.
     *
     * @throws InterruptedException  if the thread was interrupted, before or meanwhile: then the request is cancelled; the
     *                               listener may be told of what is just being computed
     * @throws RuntimeException      what ended the request: of its listener, of its samplers, or a
     *                               {@link ClosedException}
     * @throws IllegalStateException on the scheduler's own thread, which would wait for itself
     */
    public GenerationResult generate(int[] prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) throws InterruptedException {
        checkMayWait();
        if (Thread.interrupted()) {
            // Not left to the future, which says so only if the result is not there first.
            throw new InterruptedException("the thread was interrupted before it asked for a text");
        }
        CompletableFuture<GenerationResult> future = submit(prompt, options, listener, cancellation);
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(false);
            throw e;
        } catch (ExecutionException e) {
            throw switch (e.getCause()) {
                case RuntimeException cause -> cause;
                case Error cause -> throw cause;
                default -> new IllegalStateException(e.getCause());
            };
        }
    }

    /** As {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)}, of a text. */
    public CompletableFuture<GenerationResult> submit(String prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        return submit(prompts.ids(prompt), options, listener, cancellation);
    }

    /**
     * Hands a prompt in, to be continued as soon as those before it leave room.
     *
     * @param prompt       token ids
     * @param listener     told each token, on the scheduler's thread: see there
     * @param cancellation may end it before
     * @return the result to come; completed or cancelled by the caller, it cancels the request
     * @throws QueueFullException       if as many requests wait as are allowed to
     * @throws CacheFullException       if it could never be begun, as it may need more than the whole cache
     * @throws PromptTooLongException   if the prompt leaves no room for a new token and {@code truncatePrompt} is off
     * @throws ClosedException          if the scheduler or the model is closed
     * @throws IllegalArgumentException for an empty prompt, an id outside the vocabulary, more sequences than a step has
     *                                  rows, or options that do not go together or that a scheduler does not have
     */
    public CompletableFuture<GenerationResult> submit(int[] prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation) {
        return submit(prompt, options, listener, cancellation, () -> false);
    }

    private CompletableFuture<GenerationResult> submit(int[] prompt, GenerationOptions options, TokenListener listener,
            Cancellation cancellation, BooleanSupplier unwanted) {
        Objects.requireNonNull(listener, "listener");
        Objects.requireNonNull(cancellation, "cancellation");
        check(options);
        int[] fitting = prompts.fit(prompt, options);
        options.check(List.of(fitting), session);
        long positions = DecodingLoop.cachePositions(List.of(fitting), options, model.config().contextLength());
        running.checkFits(positions, options.returnSequences());
        ScheduledRequest request = new ScheduledRequest(session, tokenizer, fitting, positions, options, listener,
                cancellation, unwanted);
        lock.lock();
        try {
            checkOpen();
            if (waiting.size() >= maxQueued) {
                throw new QueueFullException(waiting.size() + " requests wait in the scheduler, which is its bound");
            }
            waiting.add(request);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return request.future();
    }

    private static void check(GenerationOptions options) {
        String what = !options.isPlain()
                ? "beams and contrastive search"
                : options.drafting().isPresent()
                        ? "drafts"
                        : options.guidance().isPresent()
                                ? "guidance"
                                : options.promptCache().isPresent()
                                        ? "a prompt cache"
                                        : options.useCache() ? null : "work without a cache";
        if (what != null) {
            throw new IllegalArgumentException("a scheduler has greedy search and random sampling with one cache for"
                    + " all, and not " + what + ": use a TextGenerator");
        }
    }

    /** As {@link #stream(int[], GenerationOptions, Cancellation)}, of a text. */
    public Stream<TextPiece> stream(String prompt, GenerationOptions options) {
        return stream(prompts.ids(prompt), options, new Cancellation());
    }

    /** As {@link #stream(int[], GenerationOptions, Cancellation)}, without a cancellation. */
    public Stream<TextPiece> stream(int[] prompt, GenerationOptions options) {
        return stream(prompt, options, new Cancellation());
    }

    /** As {@link #stream(int[], GenerationOptions, Cancellation)}, of a text. */
    public Stream<TextPiece> stream(String prompt, GenerationOptions options, Cancellation cancellation) {
        return stream(prompts.ids(prompt), options, cancellation);
    }

    /**
     * Continues a prompt, piece by piece as the stream is read; the request is submitted when the first piece is asked
     * for. A reader who takes his time holds up nobody: what he has not read yet waits for him. Closing the stream ends the
     * request and waits for that; a stream that is not read to its end must be closed, or its text is written to its own
     * end.
     * <p>
     * The stream is read by one thread, which must not be the scheduler's. What {@link #submit(int[], GenerationOptions,
     * TokenListener, Cancellation)} would throw comes out of it, and so does what ends the request, behind the pieces that
     * were written before. Cancelled, late, or read by a thread that is interrupted, it ends with a {@link TextEnd} that
     * says so.
     */
    public Stream<TextPiece> stream(int[] prompt, GenerationOptions options, Cancellation cancellation) {
        return PieceQueue.stream(source(prompt, options, cancellation));
    }

    /** As {@link #publish(int[], GenerationOptions, Cancellation)}, of a text. */
    public Flow.Publisher<TextPiece> publish(String prompt, GenerationOptions options) {
        return publish(prompts.ids(prompt), options, new Cancellation());
    }

    /** As {@link #publish(int[], GenerationOptions, Cancellation)}, without a cancellation. */
    public Flow.Publisher<TextPiece> publish(int[] prompt, GenerationOptions options) {
        return publish(prompt, options, new Cancellation());
    }

    /** As {@link #publish(int[], GenerationOptions, Cancellation)}, of a text. */
    public Flow.Publisher<TextPiece> publish(String prompt, GenerationOptions options, Cancellation cancellation) {
        return publish(prompts.ids(prompt), options, cancellation);
    }

    /**
     * Continues a prompt for a subscriber, by the rules of Reactive Streams; the request is submitted with its first
     * request for pieces, and ends when it cancels. Signals come on a virtual thread, and no more than were requested: what
     * was written beyond that waits, so that a slow subscriber holds up nobody. There is one text: a second subscriber is
     * told an {@link IllegalStateException}.
     * <p>
     * What {@link #submit(int[], GenerationOptions, TokenListener, Cancellation)} would throw, and what ends the request,
     * is told by {@code onError}. Cancelled by the {@link Cancellation}, or late, it ends with a {@link TextEnd} that says
     * so and {@code onComplete}.
     */
    public Flow.Publisher<TextPiece> publish(int[] prompt, GenerationOptions options, Cancellation cancellation) {
        return PieceQueue.publisher(source(prompt, options, cancellation));
    }

    private PieceQueue.Source source(int[] promptIds, GenerationOptions options, Cancellation cancellation) {
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(cancellation, "cancellation");
        int[] prompt = promptIds.clone();
        return queue -> {
            checkMayWait();
            submit(prompt, options, queue, cancellation, queue::isCancelled)
                    .whenComplete((_, failure) -> queue.end(failure));
        };
    }

    private void checkMayWait() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException(
                    "a listener cannot wait for another text on the scheduler's thread; submit it instead");
        }
    }

    private void checkOpen() {
        if (failure != null) {
            ClosedException ended = new ClosedException("the scheduler has ended with: " + failure);
            ended.initCause(failure);
            throw ended;
        }
        if (closed) {
            throw new ClosedException("the scheduler is closed");
        }
        if (model.isClosed()) {
            throw new ClosedException("the model is closed");
        }
    }

    /** What it does at this moment. */
    public SchedulerLoad load() {
        lock.lock();
        try {
            return running.load(waiting.size());
        } finally {
            lock.unlock();
        }
    }

    /** The scheduler's thread. */
    private void run() {
        Throwable fatal = null;
        try {
            while (fatal == null && admit()) {
                try {
                    running.step();
                } catch (Throwable e) {
                    running.fail(e);
                    fatal = e instanceof ClosedException || e instanceof DeviceException ? e : null;
                }
            }
        } catch (Throwable e) {
            fatal = e;
        } finally {
            end(fatal);
        }
    }

    /**
     * Ends what is due, and begins what there is room for; waits until there is something to do.
     *
     * @return false if there is nothing to do any more
     */
    private boolean admit() {
        do {
            // Of a listener's doing; it is not for the others.
            Thread.interrupted();
            running.endDue();
            for (ScheduledRequest request = next(); request != null; request = next()) {
                FinishReason reason = request.reasonToEnd();
                if (reason != null) {
                    ContinuousBatch.end(request, reason);
                    request.leave();
                } else {
                    running.begin(request);
                }
            }
        } while (!closed && running.isEmpty() && awaitChange());
        return !closed;
    }

    /** Takes a request out of the queue: one that is due, or the first if there is room for it; null if there is none. */
    private ScheduledRequest next() {
        lock.lock();
        try {
            if (closed || waiting.isEmpty()) {
                return null;
            }
            for (Iterator<ScheduledRequest> each = waiting.iterator(); each.hasNext();) {
                ScheduledRequest request = each.next();
                if (request.reasonToEnd() != null) {
                    each.remove();
                    return request;
                }
            }
            return running.hasRoomFor(waiting.element()) ? waiting.remove() : null;
        } finally {
            lock.unlock();
        }
    }

    private boolean awaitChange() {
        lock.lock();
        try {
            while (!closed && waiting.isEmpty()) {
                changed.awaitUninterruptibly();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** @param fatal null if it was closed */
    private void end(Throwable fatal) {
        List<ScheduledRequest> left;
        lock.lock();
        try {
            closed = true;
            failure = fatal;
            left = List.copyOf(waiting);
            waiting.clear();
        } finally {
            lock.unlock();
        }
        Throwable reason = fatal != null
                ? fatal
                : new ClosedException("the scheduler was closed before the text ended");
        try {
            running.fail(reason);
            left.forEach(request -> {
                request.fail(reason);
                request.leave();
            });
        } finally {
            running.close();
        }
    }

    /**
     * Ends all requests, which get a {@link ClosedException}, and frees the memory; waits until that is done, at most a
     * layer of the step that is computed and what a listener takes, but not on the scheduler's own thread. A second call
     * does nothing.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (Thread.currentThread() == thread) {
            return;
        }
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
