package org.vecformer.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * An encoder that pads, on one sequence after the other: what its user can do about padding. Closing this leaves the
 * encoder open.
 */
record OneByOne(SentenceEncoder encoder) implements SentenceEncoder {

    @Override
    public String name() {
        return encoder.name() + ", one by one";
    }

    @Override
    public Arithmetic arithmetic() {
        return encoder.arithmetic();
    }

    @Override
    public Prepared prepare(List<int[]> sequences) {
        List<Prepared> all = new ArrayList<>();
        Prepared prepared = new Prepared() {

            private final float[][] vectors = new float[sequences.size()][];

            @Override
            public float[][] encode() {
                for (int s = 0; s < vectors.length; s++) {
                    vectors[s] = all.get(s).encode()[0];
                }
                return vectors;
            }

            @Override
            public void close() {
                all.forEach(Prepared::close);
            }
        };
        try {
            sequences.forEach(ids -> all.add(encoder.prepare(List.of(ids))));
            return prepared;
        } catch (RuntimeException | Error e) {
            prepared.close();
            throw e;
        }
    }

    @Override
    public void close() {
    }
}
