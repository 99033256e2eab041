package org.vecformer.engine.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.MemoryUse;

/**
 * What all models and sessions of an engine hold, and the bound on it. Weights and caches are refused before anything of
 * them is taken; so is working memory that is asked for as a tensor. What a kernel finds it needs in the midst of a step
 * (some hundred kilobytes a thread) is counted and never refused.
 * <p>
 * Thread-safe.
 */
public final class MemoryAccount {

    /** What memory is held for. */
    public enum Purpose {
        /** The weights of a model. */
        WEIGHTS("the weights of the model"),
        /** Keys and values, as many as there may come to be. */
        CACHES("the key/value cache of the session"),
        /** What a session computes in. */
        SCRATCH("the working memory of the session");

        private final String description;

        Purpose(String description) {
            this.description = description;
        }
    }

    private final long limit;
    private final long[] held = new long[Purpose.values().length];

    /** @param limit bytes that all together may hold */
    public MemoryAccount(long limit) {
        this.limit = limit;
    }

    /** What is held now. */
    public synchronized MemoryUse use() {
        return new MemoryUse(held[Purpose.WEIGHTS.ordinal()], held[Purpose.CACHES.ordinal()],
                held[Purpose.SCRATCH.ordinal()], limit);
    }

    /** A share of one owner, who gives it back as a whole in the end. */
    public Share open(Purpose purpose) {
        return new Share(purpose);
    }

    private synchronized void add(Purpose purpose, long bytes, boolean strict) {
        if (strict) {
            check(purpose, bytes);
        }
        held[purpose.ordinal()] += bytes;
    }

    private synchronized void check(Purpose purpose, long bytes) {
        MemoryUse use = use();
        if (bytes > limit - use.total()) {
            throw new MemoryLimitException(purpose.description + " would take " + megabytes(bytes)
                    + " of memory; the engine's limit is " + megabytes(limit) + ", of which weights hold "
                    + megabytes(use.weights()) + ", caches " + megabytes(use.caches()) + " and working memory "
                    + megabytes(use.scratch()));
        }
    }

    private static String megabytes(long bytes) {
        long tenths = Math.ceilDiv(bytes * 10L, 1L << 20);
        return bytes > Long.MAX_VALUE / 10 ? "any amount" : tenths / 10 + "." + tenths % 10 + " MiB";
    }

    /** What one owner holds for one purpose. Thread-safe. */
    public final class Share implements AutoCloseable {

        private final Purpose purpose;
        private long bytes;

        private Share(Purpose purpose) {
            this.purpose = purpose;
        }

        /** @throws MemoryLimitException if so much more would pass the limit */
        public void check(long more) {
            MemoryAccount.this.check(purpose, more);
        }

        /**
         * Takes so much more.
         *
         * @throws MemoryLimitException if it would pass the limit; then nothing was taken
         */
        public void take(long more) {
            change(more, true);
        }

        /** Takes so much more, or gives it back if it is negative; refuses nothing. */
        public void add(long more) {
            change(more, false);
        }

        private synchronized void change(long more, boolean strict) {
            MemoryAccount.this.add(purpose, more, strict);
            bytes += more;
        }

        /** An arena that counts, and never refuses, what is allocated from it; it is freed with the other one. */
        public Arena counting(Arena arena) {
            return new Arena() {
                @Override
                public MemorySegment allocate(long size, long alignment) {
                    MemorySegment segment = arena.allocate(size, alignment);
                    add(size);
                    return segment;
                }

                @Override
                public MemorySegment.Scope scope() {
                    return arena.scope();
                }

                @Override
                public void close() {
                    arena.close();
                }
            };
        }

        /** Gives all of it back. A second call does nothing. */
        @Override
        public synchronized void close() {
            MemoryAccount.this.add(purpose, -bytes, false);
            bytes = 0;
        }
    }
}
