package org.vecformer.yardstick;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * What the processor can do: how fast memory is read and how many fused multiply-adds are done, on all threads at once.
 * <p>
 * Both loops return a sum of everything they touched, which is looked at, so that the JIT cannot drop them; and both
 * are short methods that are called many times, so that C2 compiles them as a whole and keeps the accumulators in
 * registers (a single long call would run in code that was entered in mid-loop, with its vectors as objects). The
 * memory to read is off-heap, taken by the first {@link #readBandwidth} and freed by {@link #close}. In a JVM that has {@code jdk.incubator.vector} ({@link Machine#vectorsMissing}).
 */
public final class CpuLimits implements Limits {

    /** Memory to read: twice the largest cache of a common server, as much as a GPT-2 124M in float32. */
    public static final long READ_BYTES = 512L << 20;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Bytes that one call reads: a page of memory is too short to time, all of it too long to compile well. */
    private static final int CALL_BYTES = 1 << 20;
    /** More chains than latency (4 cycles) x units (2), and with the two factors they fit the 16 registers of AVX2. */
    private static final int CHAINS = 12;
    private static final int CALL_STEPS = 100_000;

    private final int threads;
    private final long readBytes;
    private final Arena arena = Arena.ofShared();
    private MemorySegment memory;

    /** Measures with so many threads, and reads {@link #READ_BYTES}. */
    public CpuLimits(int threads) {
        this(threads, READ_BYTES);
    }

    /**
     * @param threads   how many threads measure
     * @param readBytes how much memory to read; rounded down to whole megabytes for each thread, at least one
     */
    public CpuLimits(int threads, long readBytes) {
        if (threads < 1 || readBytes < 1) {
            throw new IllegalArgumentException(
                    threads + " threads reading " + readBytes + " bytes; expected at least 1 of each");
        }
        this.threads = threads;
        this.readBytes = readBytes;
    }

    /** The memory to read, a slice for each thread. */
    private MemorySegment memory() {
        if (memory == null) {
            long slice = Math.max(1, readBytes / threads / CALL_BYTES) * CALL_BYTES;
            try {
                memory = arena.allocate(slice * threads, 64);
            } catch (OutOfMemoryError e) {
                throw new IllegalStateException("the read bandwidth is measured on " + (slice * threads >> 20)
                        + " MB of memory, which there are not", e);
            }
            // Ones, so that the sums show, exactly, whether everything was read.
            for (long i = 0; i < CALL_BYTES; i += Float.BYTES) {
                memory.set(ValueLayout.JAVA_FLOAT, i, 1);
            }
            for (long i = CALL_BYTES; i < memory.byteSize(); i += CALL_BYTES) {
                MemorySegment.copy(memory, 0, memory, i, CALL_BYTES);
            }
        }
        return memory;
    }

    /** Lanes of the vectors in use. */
    public static int lanes() {
        return FLOATS.length();
    }

    /** Reads the memory again and again, each thread its own slice. */
    @Override
    public double readBandwidth(double seconds) {
        MemorySegment memory = memory();
        long slice = memory.byteSize() / threads;
        return rate(seconds, thread -> {
            for (long at = thread * slice; at < (thread + 1) * slice; at += CALL_BYTES) {
                float sum = sum(memory, at);
                if (sum != CALL_BYTES / Float.BYTES) {
                    throw new IllegalStateException(
                            "the read loop summed " + sum + ", expected " + CALL_BYTES / Float.BYTES);
                }
            }
            return slice;
        }) / 1e9;
    }

    private static float sum(MemorySegment memory, long from) {
        FloatVector s0 = FloatVector.zero(FLOATS), s1 = s0, s2 = s0, s3 = s0;
        int step = FLOATS.vectorByteSize();
        for (int i = 0; i < CALL_BYTES; i += 4 * step) {
            s0 = s0.add(FloatVector.fromMemorySegment(FLOATS, memory, from + i, ORDER));
            s1 = s1.add(FloatVector.fromMemorySegment(FLOATS, memory, from + i + step, ORDER));
            s2 = s2.add(FloatVector.fromMemorySegment(FLOATS, memory, from + i + 2 * step, ORDER));
            s3 = s3.add(FloatVector.fromMemorySegment(FLOATS, memory, from + i + 3 * step, ORDER));
        }
        return s0.add(s1).add(s2.add(s3)).reduceLanes(VectorOperators.ADD);
    }

    /** Multiplies and adds in registers. */
    @Override
    public double fmaPeak(double seconds) {
        return rate(seconds, _ -> {
            // Each chain goes to the fixed point of x -> x / 2 + 1 / 2, which is 1.
            float sum = multiplyAdd(CALL_STEPS, 0.5f, 0.5f);
            if (sum != CHAINS * FLOATS.length()) {
                throw new IllegalStateException(
                        "the multiply-add loop came to " + sum + ", expected " + CHAINS * FLOATS.length());
            }
            return 2L * CALL_STEPS * CHAINS * FLOATS.length();
        }) / 1e9;
    }

    private static float multiplyAdd(int steps, float factor, float addend) {
        FloatVector m = FloatVector.broadcast(FLOATS, factor);
        FloatVector a = FloatVector.broadcast(FLOATS, addend);
        FloatVector c0 = FloatVector.zero(FLOATS), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
        FloatVector c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
        for (int i = 0; i < steps; i++) {
            c0 = c0.fma(m, a);
            c1 = c1.fma(m, a);
            c2 = c2.fma(m, a);
            c3 = c3.fma(m, a);
            c4 = c4.fma(m, a);
            c5 = c5.fma(m, a);
            c6 = c6.fma(m, a);
            c7 = c7.fma(m, a);
            c8 = c8.fma(m, a);
            c9 = c9.fma(m, a);
            c10 = c10.fma(m, a);
            c11 = c11.fma(m, a);
        }
        return c0.add(c1).add(c2.add(c3)).add(c4.add(c5).add(c6.add(c7))).add(c8.add(c9).add(c10.add(c11)))
                .reduceLanes(VectorOperators.ADD);
    }

    private interface Work {
        /** Does a piece of work and says how much it was. */
        long run(int thread);
    }

    /** Work per second of all threads together, from when all are ready to when the last has finished. */
    private double rate(double seconds, Work work) {
        long[] done = new long[threads];
        long[] start = new long[1];
        long[] ends = new long[threads];
        Throwable[] failures = new Throwable[threads];
        CyclicBarrier ready = new CyclicBarrier(threads, () -> start[0] = System.nanoTime());
        Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int thread = t;
            all[t] = Thread.ofPlatform().daemon().name("limits-" + t).start(() -> {
                try {
                    work.run(thread);
                    ready.await();
                    do {
                        done[thread] += work.run(thread);
                        ends[thread] = System.nanoTime();
                    } while (ends[thread] - start[0] < seconds * 1e9);
                } catch (RuntimeException | Error | InterruptedException | BrokenBarrierException e) {
                    failures[thread] = e;
                    // Nobody shall wait for a thread that failed.
                    ready.reset();
                }
            });
        }
        // Each thread's own rate: one that stops a call earlier than the others does not lower the sum.
        double rate = 0;
        for (int t = 0; t < threads; t++) {
            join(all[t]);
            rate += done[t] / ((ends[t] - start[0]) / 1e9);
        }
        for (Throwable failure : failures) {
            if (failure != null) {
                throw new IllegalStateException("a limit could not be measured: " + failure.getMessage(), failure);
            }
        }
        return rate;
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        for (;;) {
            try {
                thread.join();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
