package org.vecformer.engine;

/**
 * What the launches of a kernel took on a device, by its own clock.
 *
 * @param launches how many
 * @param nanos    from their starts to their ends, in sum
 */
public record KernelTime(long launches, long nanos) {

    /** Both together. */
    public KernelTime plus(KernelTime other) {
        return new KernelTime(launches + other.launches, nanos + other.nanos);
    }
}
