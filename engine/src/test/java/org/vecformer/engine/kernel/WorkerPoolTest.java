package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each item once, whatever happens: that is what the kernels rely on. The time limits only turn a hang into a
 * failure.
 */
@Timeout(60)
class WorkerPoolTest {

    private static final int PATIENCE_SECONDS = 20;

    /** A pool whose threads have been started, by a section that is over. */
    private static WorkerPool started(int threads) {
        WorkerPool pool = new WorkerPool(threads);
        pool.run((_, _, _) -> {
        }, 100, 1);
        return pool;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void everyItemRunsExactlyOnce(int threads) {
        try (WorkerPool pool = started(threads)) {
            assertThat(pool.threads()).isEqualTo(threads);
            assertThat(pool.workerThreads()).hasSize(threads - 1);
            for (int count : new int[]{0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 64, 100, 1000, 4099}) {
                for (int grain : new int[]{1, 2, 3, 7, 16, 100, 4099, Integer.MAX_VALUE}) {
                    checkOnce(pool, count, grain);
                }
            }
        }
    }

    private static void checkOnce(WorkerPool pool, int count, int grain) {
        AtomicIntegerArray seen = new AtomicIntegerArray(count);
        AtomicInteger wrong = new AtomicInteger();
        AtomicInteger chunks = new AtomicInteger();
        pool.run((from, to, worker) -> {
            chunks.incrementAndGet();
            if (from >= to || worker < 0 || worker >= pool.threads()) {
                wrong.incrementAndGet();
            }
            for (int i = from; i < to; i++) {
                seen.incrementAndGet(i);
            }
        }, count, grain);
        assertThat(wrong).as("empty chunks and bad worker indices").hasValue(0);
        assertThat(chunks.get()).as("chunks of %d items, grain %d", count, grain)
                .isLessThanOrEqualTo(Math.ceilDiv(count, grain));
        for (int i = 0; i < count; i++) {
            assertThat(seen.get(i)).as("runs of item %d of %d, grain %d", i, count, grain).isEqualTo(1);
        }
    }

    @Test
    void twoChunksAtOnceHaveDifferentWorkerIndices() {
        try (WorkerPool pool = started(4)) {
            AtomicIntegerArray inUse = new AtomicIntegerArray(4);
            AtomicInteger clashes = new AtomicInteger();
            for (int i = 0; i < 500; i++) {
                pool.run((_, _, worker) -> {
                    if (inUse.incrementAndGet(worker) != 1) {
                        clashes.incrementAndGet();
                    }
                    Thread.onSpinWait();
                    inUse.decrementAndGet(worker);
                }, 16, 1);
            }
            assertThat(clashes).as("scratch memory used by two at once").hasValue(0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void whatATaskThrowsReachesTheCaller(int threads) {
        try (WorkerPool pool = started(threads)) {
            for (int bad = 0; bad < 16; bad++) {
                int item = bad;
                IllegalArgumentException failure = new IllegalArgumentException("item " + item);
                assertThatThrownBy(() -> pool.run(throwing(item, failure), 16, 1)).isSameAs(failure);
                StackOverflowError error = new StackOverflowError("item " + item);
                assertThatThrownBy(() -> pool.run(throwing(item, error), 16, 1)).isSameAs(error);
                checkOnce(pool, 100, 1);
            }
        }
    }

    private static WorkerPool.Task throwing(int item, Throwable failure) {
        return (from, to, _) -> {
            if (item >= from && item < to) {
                switch (failure) {
                    case RuntimeException e -> throw e;
                    case Error e -> throw e;
                    default -> throw new AssertionError(failure);
                }
            }
        };
    }

    @Test
    void ofSeveralFailuresOneReachesTheCaller() {
        try (WorkerPool pool = started(3)) {
            List<RuntimeException> thrown = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < 100; i++) {
                thrown.clear();
                assertThatThrownBy(() -> pool.run((from, _, _) -> {
                    RuntimeException e = new IllegalArgumentException("chunk from " + from);
                    thrown.add(e);
                    throw e;
                }, 6, 1)).satisfies(e -> assertThat(thrown).contains((RuntimeException) e));
                assertThat(thrown).as("chunks that ran although others failed").hasSize(6);
            }
            checkOnce(pool, 1000, 1);
        }
    }

    @Test
    void theCallerHearsOfAFailureOnlyAfterAllChunksEnded() {
        try (WorkerPool pool = started(3)) {
            for (int round = 0; round < 20; round++) {
                AtomicInteger ended = new AtomicInteger();
                assertThatThrownBy(() -> pool.run((from, _, _) -> {
                    if (from == 0) {
                        throw new IllegalArgumentException("the first chunk");
                    }
                    LockSupport.parkNanos(200_000);
                    ended.incrementAndGet();
                }, 6, 1)).hasMessage("the first chunk");
                // Tasks use buffers of the caller's: nobody may write to them after the call.
                assertThat(ended).hasValue(5);
            }
        }
    }

    /** Whoever takes the last chunk lets the others wait for little; a grain is kept, but for the rest. */
    @Test
    void chunksGetSmallerTowardsTheEnd() {
        try (WorkerPool pool = started(2)) {
            for (int grain : new int[]{1, 5}) {
                Map<Integer, Integer> sizes = new ConcurrentSkipListMap<>();
                pool.run((from, to, _) -> sizes.put(from, to - from), 97, grain);
                List<Integer> inOrder = List.copyOf(sizes.values());
                assertThat(inOrder.getFirst()).isEqualTo(24);
                assertThat(inOrder).isSortedAccordingTo(Comparator.reverseOrder());
                assertThat(inOrder.subList(0, inOrder.size() - 1)).allMatch(size -> size >= grain);
                assertThat(inOrder.getLast()).isLessThanOrEqualTo(grain);
            }
        }
    }

    @Test
    void callersDoNotGetIntoEachOthersWay() throws Exception {
        try (WorkerPool pool = started(3); ExecutorService callers = Executors.newFixedThreadPool(3)) {
            checkCallers(pool, callers, 3, 1500);
        }
    }

    @Test
    void virtualThreadsMayCall() throws Exception {
        try (WorkerPool pool = started(3);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            checkCallers(pool, callers, 16, 200);
        }
    }

    /**
     * With a caller for each thread, a worker would only push one of them aside. (One caller is in a section that it
     * does alone, as the pool was busy; so the lock is free.)
     */
    @Test
    void asManyCallersAsThreadsWorkEachAlone() throws Exception {
        try (WorkerPool pool = started(2); ExecutorService callers = Executors.newFixedThreadPool(2)) {
            awaitState(pool.workerThreads(), Thread.State.WAITING);
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch secondBegun = new CountDownLatch(1);
            CountDownLatch mayEnd = new CountDownLatch(1);
            Future<?> first = callers.submit(() -> pool.run((_, _, _) -> {
                begun.countDown();
                await(secondBegun);
            }, 2, 1));
            await(begun);
            Future<?> second = callers.submit(() -> pool.run((_, _, _) -> {
                secondBegun.countDown();
                await(mayEnd);
            }, 2, 1));
            first.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            Map<Integer, Thread> threads = new ConcurrentSkipListMap<>();
            pool.run((from, to, _) -> threads.put(from * 1000 + to, Thread.currentThread()), 64, 1);
            assertThat(threads).containsOnly(Map.entry(64, Thread.currentThread()));
            mayEnd.countDown();
            second.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(runNeedingAllThreads(pool)).as("all threads again").isTrue();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody came");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Virtual callers give their carrier back while they wait: otherwise a single carrier would be a deadlock. */
    @Test
    void manyVirtualThreadsOnOneCarrier() throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1", "-cp",
                System.getProperty("java.class.path"), VirtualCallers.class.getName()).redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    /** Ends with status 0 if all went well. */
    static final class VirtualCallers {
        private VirtualCallers() {
        }

        public static void main(String[] arguments) throws Exception {
            try (WorkerPool pool = started(4);
                    ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
                checkCallers(pool, callers, 100, 60);
            }
        }
    }

    /** Each caller sums numbers of its own, section after section; now and then one of its sections fails. */
    private static void checkCallers(WorkerPool pool, ExecutorService callers, int count, int sections)
            throws Exception {
        List<Callable<Integer>> work = new ArrayList<>();
        for (int c = 0; c < count; c++) {
            int caller = c;
            work.add(() -> {
                int right = 0;
                int[] squares = new int[40];
                for (int s = 0; s < sections; s++) {
                    int offset = caller * 10_000 + s;
                    pool.run((from, to, _) -> {
                        for (int i = from; i < to; i++) {
                            squares[i] = offset + i * i;
                        }
                    }, squares.length, 1);
                    boolean all = true;
                    for (int i = 0; i < squares.length; i++) {
                        all &= squares[i] == offset + i * i;
                    }
                    right += all ? 1 : 0;
                    if (s % 50 == 0) {
                        IllegalArgumentException mine = new IllegalArgumentException("caller " + caller);
                        assertThatThrownBy(() -> pool.run(throwing(3, mine), 16, 1)).isSameAs(mine);
                    }
                }
                return right;
            });
        }
        for (Future<Integer> result : callers.invokeAll(work)) {
            assertThat(result.get()).isEqualTo(sections);
        }
    }

    @Test
    void parkedWorkersWakeUp() throws InterruptedException {
        try (WorkerPool pool = started(4)) {
            for (int round = 0; round < 5; round++) {
                awaitState(pool.workerThreads(), Thread.State.WAITING);
                assertThat(runNeedingAllThreads(pool)).isTrue();
            }
        }
    }

    /** A server's engine may be idle for hours. */
    @Test
    void idleWorkersTakeNoProcessorTime() throws InterruptedException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        assumeTrue(threads.isThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled());
        try (WorkerPool pool = started(3)) {
            assertThat(runNeedingAllThreads(pool)).isTrue();
            awaitState(pool.workerThreads(), Thread.State.WAITING);
            long before = cpuNanos(threads, pool);
            Thread.sleep(300);
            // The way to sleep may not have been quite over; spinning would be 600 ms.
            assertThat(cpuNanos(threads, pool) - before).isLessThan(30_000_000);
        }
    }

    private static long cpuNanos(ThreadMXBean threads, WorkerPool pool) {
        return Stream.of(pool.workerThreads()).mapToLong(worker -> threads.getThreadCpuTime(worker.threadId())).sum();
    }

    @Test
    @Timeout(600)
    void noWakeUpIsLostHoweverLongTheWorkersWereIdle() {
        Random random = new Random(1);
        try (WorkerPool pool = started(3)) {
            // A worker gives up spinning after about a millisecond: pauses around that find it on its way to sleep.
            for (int round = 0; round < 400; round++) {
                LockSupport.parkNanos(random.nextInt(2_500_000));
                assertThat(runNeedingAllThreads(pool)).as("round %d: every thread took part", round).isTrue();
            }
        }
    }

    /** A section that ends only when all threads are in it; false if they did not come. */
    private static boolean runNeedingAllThreads(WorkerPool pool) {
        CountDownLatch together = new CountDownLatch(pool.threads());
        AtomicInteger gaveUp = new AtomicInteger();
        pool.run((_, _, _) -> {
            together.countDown();
            try {
                if (!together.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    gaveUp.incrementAndGet();
                }
            } catch (InterruptedException _) {
                gaveUp.incrementAndGet();
            }
        }, pool.threads(), 1);
        return gaveUp.get() == 0;
    }

    private static void awaitState(Thread[] threads, Thread.State state) throws InterruptedException {
        for (Thread thread : threads) {
            while (thread.getState() != state) {
                Thread.sleep(1);
            }
        }
    }

    @Test
    void thousandsOfTinySections() {
        try (WorkerPool pool = started(2)) {
            long[] sums = new long[8];
            WorkerPool.Task task = (from, to, _) -> {
                for (int i = from; i < to; i++) {
                    sums[i] += i;
                }
            };
            int sections = 30_000;
            for (int i = 0; i < sections; i++) {
                pool.run(task, sums.length, 1);
            }
            // Not atomic on purpose: a section sees what the one before it wrote, whichever thread that was.
            for (int i = 0; i < sums.length; i++) {
                assertThat(sums[i]).isEqualTo((long) i * sections);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void aTaskMustNotStartAnotherSection(int threads) {
        try (WorkerPool pool = started(threads)) {
            // Every thread of the pool tries, the caller and the workers.
            CountDownLatch together = new CountDownLatch(threads);
            AtomicInteger refused = new AtomicInteger();
            pool.run((_, _, _) -> {
                together.countDown();
                try {
                    together.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
                    pool.run((_, _, _) -> {
                    }, 100, 1);
                } catch (IllegalStateException e) {
                    if (e.getMessage().contains("must not start another section")) {
                        refused.incrementAndGet();
                    }
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }, threads, 1);
            assertThat(refused).hasValue(threads);
            checkOnce(pool, 100, 1);
        }
    }

    @Test
    void closeEndsTheThreads() throws InterruptedException {
        WorkerPool idle = started(4);
        awaitState(idle.workerThreads(), Thread.State.WAITING);
        WorkerPool busy = started(4);
        checkOnce(busy, 1000, 1);
        for (WorkerPool pool : new WorkerPool[]{idle, busy}) {
            Thread[] workers = pool.workerThreads();
            assertThat(workers).hasSize(3);
            pool.close();
            pool.close();
            for (Thread worker : workers) {
                worker.join(PATIENCE_SECONDS * 1000L);
                assertThat(worker.isAlive()).isFalse();
            }
            assertThatThrownBy(() -> pool.run((_, _, _) -> {
            }, 100, 1)).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        }
    }

    @Test
    void closeWaitsForTheSectionThatRuns() throws InterruptedException {
        WorkerPool pool = started(2);
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        Thread caller = Thread.ofPlatform().start(() -> {
            pool.run((_, _, _) -> {
                started.countDown();
                try {
                    mayGoOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                events.add("chunk");
            }, 3, 1);
        });
        started.await();
        Thread closer = Thread.ofPlatform().start(() -> {
            pool.close();
            events.add("closed");
        });
        awaitState(new Thread[]{closer}, Thread.State.WAITING);
        mayGoOn.countDown();
        caller.join();
        closer.join();
        assertThat(events).containsExactly("chunk", "chunk", "chunk", "closed");
    }

    @Test
    void workersAreDaemons() {
        try (WorkerPool pool = started(3)) {
            assertThat(pool.workerThreads()).allSatisfy(worker -> {
                assertThat(worker.isDaemon()).isTrue();
                assertThat(worker.getName()).startsWith("vecformer-worker-");
            });
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1025})
    void threadCountsOutOfRangeAreRefused(int threads) {
        assertThatIllegalArgumentException().isThrownBy(() -> {
            new WorkerPool(threads).close();
        }).withMessageContaining(Integer.toString(threads));
    }
}
