package org.vecformer.yardstick;

import org.vecformer.engine.Engine;

/**
 * What computes can do: how fast it reads memory and how many multiply-adds it does. What the two loops compute is
 * looked at, so that no compiler can drop them. For one caller at a time.
 */
public interface Limits extends AutoCloseable {

    /** How long a measurement takes, about. */
    double SECONDS = 0.5;

    /**
     * Reads more memory than caches hold.
     *
     * @param seconds how long, about
     * @return gigabytes (10^9) per second
     * @throws IllegalStateException when it cannot be measured, for want of memory perhaps; the message says why
     */
    double readBandwidth(double seconds);

    /**
     * Multiplies and adds in registers.
     *
     * @param seconds how long, about
     * @return GFLOP/s in float32; a fused multiply-add counts as two
     * @throws IllegalStateException when it cannot be measured; the message says why
     */
    double fmaPeak(double seconds);

    /**
     * One of the two, in its unit.
     *
     * @param seconds how long, about
     * @throws IllegalStateException when it cannot be measured; the message says why
     */
    default double measure(Limit limit, double seconds) {
        return switch (limit) {
            case READ_BANDWIDTH -> readBandwidth(seconds);
            case FMA_PEAK -> fmaPeak(seconds);
        };
    }

    /** Gives the memory back. */
    @Override
    void close();

    /**
     * The limits of what computes for an engine: of its device, or of the CPU with as many threads.
     *
     * @throws IllegalStateException when they cannot be measured; the message says why
     */
    static Limits of(Engine engine) {
        if (engine.device().isPresent()) {
            return new OpenClLimits(engine.device().get());
        }
        Machine.vectorsMissing().ifPresent(why -> {
            throw new IllegalStateException(why);
        });
        return new CpuLimits(engine.threads());
    }
}
