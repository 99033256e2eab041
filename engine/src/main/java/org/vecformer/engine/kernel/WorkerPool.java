package org.vecformer.engine.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.vecformer.engine.ClosedException;

/**
 * An engine's threads: splits one op into chunks that the caller and the workers take in turn.
 * <p>
 * Decoding a token has about a hundred such sections, so the hand-off is a single volatile word: an epoch, the next
 * chunk and the number of chunks. A worker claims a chunk by compare-and-set on that word, which fails if the section
 * it looked at is over; so the caller never waits for a worker that sleeps, and a late worker does no harm. Workers
 * spin for a short while after a section and then park. Nothing is allocated.
 * <p>
 * Thread-safe. When two sessions meet, the one that finds the pool busy does its work alone instead of waiting, and
 * with as many callers as the pool has threads all do: each processor has its caller then, and a worker would only push
 * one of them aside. Which thread computes a chunk never changes a result.
 * <p>
 * The workers know nothing of who made them: no thread locals and no class loader of his.
 */
public final class WorkerPool implements AutoCloseable {

    /** A piece of work over the items {@code from} (inclusive) to {@code to} (exclusive). */
    public interface Task {
        /** @param worker the index of the scratch memory this call may use, below {@link WorkerPool#threads()} */
        void run(int from, int to, int worker);
    }

    /**
     * A chunk is what is left over so many for each thread: large chunks first, so that a thread stays in one region of
     * the operands, and small ones at the end, so that all threads end together.
     */
    private static final int SHARES_PER_THREAD = 2;
    private static final int MAX_CHUNKS = 1 << 15;
    private static final int SPINS_BEFORE_PARKING = 20_000;
    private static final int SPINS_BEFORE_YIELDING = 2_000;

    private final int threads;
    /** Changed with {@link #sections} held; none until there is work, and while the pool rests. */
    private volatile Worker[] workers = new Worker[0];
    private final ReentrantLock sections = new ReentrantLock();
    /** epoch (32 bits) | next chunk (16 bits) | chunks (16 bits) */
    private final AtomicLong ticket = new AtomicLong();
    private final AtomicInteger finished = new AtomicInteger();
    /** Those who are in {@link #run}. */
    private final AtomicInteger callers = new AtomicInteger();
    private volatile boolean closed;
    // Written by the caller before the ticket is published, read by workers after they claimed a chunk of it.
    private Task task;
    /** Where each chunk ends; chunk 0 begins at item 0. */
    private int[] ends = new int[64];
    private volatile Throwable failure;

    /** @param threads how many threads compute, the caller's included; at least 1 */
    public WorkerPool(int threads) {
        if (threads < 1 || threads > 1024) {
            throw new IllegalArgumentException("threads is " + threads + "; expected 1 to 1024");
        }
        this.threads = threads;
    }

    /**
     * A pool of so many threads, the caller's included; for 0 of one for each {@linkplain Processors#count physical
     * core}.
     */
    public static WorkerPool of(int threads) {
        return new WorkerPool(threads == 0 ? Processors.count() : threads);
    }

    private Worker[] started(int count) {
        Worker[] started = new Worker[count];
        for (int i = 0; i < count; i++) {
            started[i] = new Worker(i + 1);
            started[i].start();
        }
        return started;
    }

    /** How many threads compute, the caller's included. */
    public int threads() {
        return threads;
    }

    /** The workers that have been started, without the caller: for tests that add up what all engine threads allocate. */
    public Thread[] workerThreads() {
        return workers.clone();
    }

    /**
     * Runs the task over all items and returns when they are done.
     *
     * @param grain the least number of items worth handing to another thread
     * @throws RuntimeException or Error what the task threw, after all chunks ended
     */
    public void run(Task work, int count, int grain) {
        if (sections.isHeldByCurrentThread() || Thread.currentThread() instanceof Worker worker && worker.isOf(this)) {
            // It would use the scratch memory of worker 0, who is at work.
            throw new IllegalStateException("a task must not start another section");
        }
        checkOpen();
        if (count <= grain || threads == 1) {
            alone(work, count);
            return;
        }
        boolean crowded = callers.incrementAndGet() >= threads;
        try {
            if (crowded || !sections.tryLock()) {
                alone(work, count);
            } else {
                together(work, count, grain);
            }
        } finally {
            callers.decrementAndGet();
        }
    }

    private static void alone(Task work, int count) {
        if (count > 0) {
            work.run(0, count, 0);
        }
    }

    /** @throws ClosedException if it is closed */
    public void checkOpen() {
        if (closed) {
            throw new ClosedException("the engine is closed");
        }
    }

    /** Runs the task with the workers; the caller holds the lock, which is given back. */
    private void together(Task work, int count, int grain) {
        try {
            checkOpen();
            Worker[] all = workers;
            if (all.length == 0) {
                all = started(threads - 1);
                workers = all;
            }
            task = work;
            int chunks = split(count, grain);
            failure = null;
            finished.set(0);
            long epoch = (ticket.get() >>> 32) + 1;
            ticket.set(epoch << 32 | chunks);
            for (Worker worker : all) {
                worker.wake();
            }
            takeChunks(0);
            for (int spins = 0; finished.get() < chunks; spins++) {
                if (spins < SPINS_BEFORE_YIELDING) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            task = null;
            rethrow(failure);
        } finally {
            sections.unlock();
        }
    }

    /** Sets where each chunk ends, and returns how many there are. */
    private int split(int count, int grain) {
        int shares = SHARES_PER_THREAD * threads();
        int least = Math.max(grain, Math.ceilDiv(count, MAX_CHUNKS / 2));
        int chunks = 0;
        for (int end = 0; end < count;) {
            end = (int) Math.min(count, end + Math.max(least, (count - (long) end) / shares));
            if (chunks == ends.length) {
                ends = Arrays.copyOf(ends, 2 * chunks);
            }
            ends[chunks++] = end;
        }
        return chunks;
    }

    private void takeChunks(int worker) {
        for (;;) {
            long seen = ticket.get();
            int chunk = (int) (seen >>> 16) & 0xFFFF;
            int chunks = (int) seen & 0xFFFF;
            if (chunk >= chunks) {
                return;
            }
            if (!ticket.compareAndSet(seen, seen + (1 << 16))) {
                continue;
            }
            try {
                task.run(chunk == 0 ? 0 : ends[chunk - 1], ends[chunk], worker);
            } catch (Throwable e) {
                failure = e;
            } finally {
                finished.incrementAndGet();
            }
        }
    }

    private boolean hasWork() {
        long seen = ticket.get();
        return ((int) (seen >>> 16) & 0xFFFF) < ((int) seen & 0xFFFF);
    }

    private static void rethrow(Throwable failure) {
        switch (failure) {
            case null -> {
            }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    /** Ends the threads, after the section that runs; the next section starts new ones. */
    public void rest() {
        sections.lock();
        try {
            for (Worker worker : workers) {
                worker.end();
            }
            workers = new Worker[0];
        } finally {
            sections.unlock();
        }
    }

    /** Ends the threads for good, after the section that runs. A second call does nothing. */
    @Override
    public void close() {
        closed = true;
        rest();
    }

    private final class Worker extends Thread {
        private final int index;
        private volatile boolean parked;
        private volatile boolean ended;

        Worker(int index) {
            super(null, null, "vecformer-worker-" + index, 0, false);
            this.index = index;
            setDaemon(true);
        }

        boolean isOf(WorkerPool pool) {
            return pool == WorkerPool.this;
        }

        void end() {
            ended = true;
            LockSupport.unpark(this);
        }

        void wake() {
            if (parked) {
                parked = false;
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            int idle = 0;
            while (!ended) {
                if (hasWork()) {
                    takeChunks(index);
                    idle = 0;
                } else if (++idle < SPINS_BEFORE_PARKING) {
                    Thread.onSpinWait();
                } else {
                    parked = true;
                    // Looked at again after saying so: the caller sees the flag, or this thread sees the work.
                    if (!hasWork() && !ended) {
                        LockSupport.park(WorkerPool.this);
                    }
                    parked = false;
                    idle = 0;
                }
            }
        }
    }
}
