package org.vecformer.engine.sampler;

/**
 * The random generator of {@link java.util.SplittableRandom}, with the same numbers for the same seed, but able to be
 * copied. (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the mixing function is
 * Stafford's variant 13.)
 */
final class SplitMix64 {
    /** 2^64 divided by the golden ratio, made odd. */
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    SplitMix64(long seed) {
        state = seed;
    }

    /** Another stream of numbers for the same seed. */
    static SplitMix64 derived(long seed, long stream) {
        return new SplitMix64(derivedSeed(seed, stream));
    }

    /** The seed of that stream, by the generator's own mixing of both. */
    static long derivedSeed(long seed, long stream) {
        return mix(mix(seed) + stream);
    }

    SplitMix64 copy() {
        return new SplitMix64(state);
    }

    void restart(long seed) {
        state = seed;
    }

    /** A multiple of 2^-53 in [0, 1). */
    double nextDouble() {
        state += GAMMA;
        return (mix(state) >>> 11) * 0x1p-53;
    }

    private static long mix(long bits) {
        long z = bits;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
