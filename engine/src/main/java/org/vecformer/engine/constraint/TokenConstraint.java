package org.vecformer.engine.constraint;

import java.util.Arrays;
import java.util.Objects;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/** The caller's own rule. */
record TokenConstraint(AllowedTokens function) implements Constraint {
    TokenConstraint {
        Objects.requireNonNull(function, "function");
    }

    @Override
    public Sampler sampler() {
        return new FunctionSampler(function);
    }

    private static final class FunctionSampler implements Sampler {
        private final AllowedTokens function;
        private int[] ids = new int[64];
        private int size;
        private long[] mask = {};

        FunctionSampler(AllowedTokens function) {
            this.function = function;
        }

        @Override
        public void apply(Candidates candidates) {
            int[] allowed = function.after(Arrays.copyOf(ids, size));
            if (allowed == null || allowed.length == 0) {
                throw new ConstraintException("The function of allowed tokens allows none after " + size
                        + " tokens; where nothing can follow it must allow an end token");
            }
            int vocabularySize = candidates.vocabularySize();
            mask = mask.length == vocabularySize + 63 >> 6 ? mask : new long[vocabularySize + 63 >> 6];
            Arrays.fill(mask, 0);
            for (int id : allowed) {
                if (id < 0 || id >= vocabularySize) {
                    throw new ConstraintException("The function of allowed tokens allows the id " + id + " after "
                            + size + " tokens; the model has ids from 0 to " + (vocabularySize - 1));
                }
                mask[id >> 6] |= 1L << id;
            }
            Masks.apply(mask, candidates);
        }

        @Override
        public void acceptPrompt(int[] prompt) {
            append(prompt, prompt.length);
        }

        @Override
        public void accept(int token) {
            reserve(1);
            ids[size++] = token;
        }

        private void append(int[] source, int count) {
            reserve(count);
            System.arraycopy(source, 0, ids, size, count);
            size += count;
        }

        private void reserve(int count) {
            if (size + count > ids.length) {
                ids = Arrays.copyOf(ids, Math.max(size + count, 2 * ids.length));
            }
        }

        @Override
        public void reset() {
            size = 0;
        }

        @Override
        public Sampler copy() {
            FunctionSampler copy = new FunctionSampler(function);
            copy.append(ids, size);
            return copy;
        }
    }
}
