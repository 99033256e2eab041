package org.vecformer.engine.kernel;

import java.util.SplittableRandom;

/** Values for tests of elementary functions: the edges, and random ones spread evenly over all exponents. */
final class FloatSamples {
    private static final int PER_EXPONENT = 2048;
    /** Where something changes in one of the functions, or the answer is known by heart. */
    private static final float[] EDGES = {0f, 1f, 0.5f, 2f, Float.MIN_VALUE, Float.MIN_NORMAL,
        Math.nextDown(Float.MIN_NORMAL), Float.MAX_VALUE, Float.POSITIVE_INFINITY, 0.6f, 0.34657359f, 0.6931472f,
        4f, 9.011f, 10f, 13.2f, 14.5f, 15f, 16.63f, 20f, 61f, 70f, 87.33655f, 88.72283f, 88.72284f, 88.73f, 89f,
        103.27893f, 103.97207f, 103.97208f, 103.98f, 104f, 104.1f, 110f, 0x1p23f, 0x1p24f, 0x1p31f, 0x1p32f};

    private FloatSamples() {
    }

    /** A million finite values, then the edges with both signs and their neighbours, then NaN. */
    static float[] all() {
        float[] samples = new float[2 * 255 * PER_EXPONENT + 6 * EDGES.length + 1];
        SplittableRandom random = new SplittableRandom(20260615);
        int n = 0;
        for (int exponent = 0; exponent < 255; exponent++) {
            for (int i = 0; i < PER_EXPONENT; i++) {
                // Stratified: the high bits of the fraction count up, the low bits are random.
                int bits = exponent << 23 | i << 12 | random.nextInt(1 << 12);
                samples[n++] = Float.intBitsToFloat(bits);
                samples[n++] = Float.intBitsToFloat(bits ^ 0x80000000);
            }
        }
        for (float edge : EDGES) {
            for (float value : new float[]{Math.nextDown(edge), edge, Math.nextUp(edge)}) {
                samples[n++] = value;
                samples[n++] = -value;
            }
        }
        samples[n] = Float.NaN;
        return samples;
    }
}
