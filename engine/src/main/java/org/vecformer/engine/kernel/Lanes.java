package org.vecformer.engine.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The lane width that the vector kernels use: the machine's, or what {@value #FORCED_BITS} says. Constants in a class
 * of their own, so that the JIT folds them and no other class loads the vector module.
 */
final class Lanes {

    /** System property that forces a width in bits: 64, 128, 256 or 512. For tests and benchmarks. */
    static final String FORCED_BITS = "vecformer.vectorBits";

    static final VectorSpecies<Float> FLOAT = species();
    static final VectorSpecies<Integer> INT = VectorSpecies.of(int.class, FLOAT.vectorShape());
    static final int COUNT = FLOAT.length();
    static final int BYTES = FLOAT.vectorByteSize();
    /** 0, 1, 2 ... */
    static final FloatVector INDEX = FloatVector.zero(FLOAT).addIndex(1);

    private Lanes() {
    }

    private static VectorSpecies<Float> species() {
        Integer forced = Integer.getInteger(FORCED_BITS);
        int bits = forced != null ? forced : Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 512);
        if (bits != 64 && bits != 128 && bits != 256 && bits != 512) {
            throw new IllegalArgumentException(
                    "system property " + FORCED_BITS + " is " + bits + "; expected 64, 128, 256 or 512");
        }
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }
}
