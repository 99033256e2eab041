package org.vecformer.bench;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.vecformer.engine.MemoryUse;

/**
 * What {@link SoakRun} saw.
 *
 * @param intervals in their order, all of one length
 * @param seconds   of an interval
 * @param all       the latencies of all of them together
 * @param requests  that ended, those that were cancelled among them
 * @param cancelled by their clients, on purpose
 * @param tokens    that were written
 */
record Soak(List<Interval> intervals, double seconds, Latencies all, long requests, long cancelled, long tokens) {

    /**
     * In microseconds.
     *
     * @param firstToken from the request to its first token
     * @param nextToken  from a token to the next one of the same text
     * @param request    from the request to its result, of those that were not cancelled
     */
    record Latencies(Histogram firstToken, Histogram nextToken, Histogram request) {

        private static final long LONGEST_MICROS = 3_600_000_000L;
        private static final int DIGITS = 3;

        static Latencies empty() {
            return new Latencies(new Histogram(LONGEST_MICROS, DIGITS), new Histogram(LONGEST_MICROS, DIGITS),
                    new Histogram(LONGEST_MICROS, DIGITS));
        }

        void add(Latencies more) {
            firstToken.add(more.firstToken);
            nextToken.add(more.nextToken);
            request.add(more.request);
        }
    }

    /**
     * In bytes.
     *
     * @param engine   what its models and sessions hold
     * @param heap     the Java heap in use, garbage included
     * @param resident of the process in memory; 0 where the system does not tell
     */
    record Memory(MemoryUse engine, long heap, long resident) {}

    /**
     * @param memory at its end
     * @param queued requests that waited then
     */
    record Interval(Latencies latencies, Memory memory, int queued, long tokens) {}

    /** Where the first tenth ends: until then kernels are compiled and buffers grow. */
    int warm() {
        return intervals.size() / 10;
    }
}
