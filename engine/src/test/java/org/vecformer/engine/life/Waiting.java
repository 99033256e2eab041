package org.vecformer.engine.life;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** Waits for what must happen, so long that only a stuck program misses it; then tells what all threads do. */
public final class Waiting {

    /** Far more than anything here takes on the slowest machine. */
    static final Duration LIMIT = Duration.ofMinutes(2);

    private Waiting() {
    }

    /** Returns as soon as the condition holds. */
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("after " + LIMIT + " still not: " + what + "\n" + threadDump());
            }
            Thread.sleep(5);
        }
    }

    /** Waits until all of these threads have ended. */
    public static void join(Iterable<Thread> threads, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        for (Thread thread : threads) {
            if (!thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
                throw new AssertionError(thread + " is stuck in\n"
                        + Arrays.stream(thread.getStackTrace()).map(frame -> "    " + frame + "\n")
                                .collect(Collectors.joining())
                        + threadDump());
            }
        }
    }

    /** Of all platform threads: their state, where they are and what they wait for. */
    public static String threadDump() {
        ThreadInfo[] threads = ManagementFactory.getThreadMXBean().dumpAllThreads(true, true);
        return Arrays.stream(threads).map(Waiting::text).collect(Collectors.joining("\n"));
    }

    private static String text(ThreadInfo thread) {
        LockInfo lock = thread.getLockInfo();
        return "\"" + thread.getThreadName() + "\" " + thread.getThreadState()
                + (lock == null ? "" : " on " + lock + " held by " + thread.getLockOwnerName()) + "\n"
                + Arrays.stream(thread.getStackTrace()).map(frame -> "    " + frame + "\n")
                        .collect(Collectors.joining());
    }

    /** The library's platform threads that live. */
    public static List<Thread> libraryThreads() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("vecformer"))
                .toList();
    }
}
