package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The scalar steps of layer norm, which the vector kernels need for the ends of rows. */
final class LayerNorms {

    private LayerNorms() {
    }

    /** 1 / sqrt(variance + epsilon); the double square root rounded to float is the correctly rounded one. */
    static float reciprocalDeviation(float variance, float epsilon) {
        return 1 / (float) Math.sqrt(variance + epsilon);
    }

    static float normalize(float x, float mean, float reciprocalDeviation, MemorySegment gain, MemorySegment bias,
            int i) {
        return Math.fma((x - mean) * reciprocalDeviation, gain.get(JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES),
                bias.get(JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES));
    }
}
