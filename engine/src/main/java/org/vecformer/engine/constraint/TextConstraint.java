package org.vecformer.engine.constraint;

import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/** A constraint on the bytes of the continuation. */
final class TextConstraint implements Constraint {
    private static final long[] NONE = {};

    private final Vocabulary vocabulary;
    private final Automaton automaton;
    private final int[] endTokens;

    TextConstraint(Network network, Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        automaton = new Automaton(network, vocabulary);
        endTokens = vocabulary.endTokens();
    }

    Automaton automaton() {
        return automaton;
    }

    @Override
    public Sampler sampler() {
        return new TextSampler();
    }

    private final class TextSampler implements Sampler {
        /** Null after a token that was not allowed: only an end can follow. */
        private Automaton.State state = automaton.start();
        private boolean begun;
        private boolean ended;
        /** The logits of the end tokens while the others are looked at. */
        private final float[] kept = new float[endTokens.length];

        @Override
        public void apply(Candidates candidates) {
            for (int i = 0; i < kept.length; i++) {
                int index = candidates.indexOf(endTokens[i]);
                kept[i] = index < 0 ? Float.NEGATIVE_INFINITY : candidates.logits()[index];
            }
            Masks.apply(mask(), candidates);
            if (mayEnd()) {
                for (int i = 0; i < kept.length; i++) {
                    int index = candidates.indexOf(endTokens[i]);
                    if (index >= 0) {
                        candidates.logits()[index] = kept[i];
                    }
                }
            }
        }

        private long[] mask() {
            if (ended || state == null) {
                return NONE;
            }
            return begun ? automaton.tokens(state) : automaton.firstTokens();
        }

        private boolean mayEnd() {
            return ended || state == null || state.accepting();
        }

        @Override
        public void accept(int token) {
            if (ended) {
                return;
            }
            if (vocabulary.isEndToken(token)) {
                ended = true;
                return;
            }
            byte[] bytes = vocabulary.bytes(token, !begun);
            state = state == null || bytes == null ? null : automaton.read(state, bytes);
            begun = true;
        }

        @Override
        public boolean isComplete() {
            return ended || state != null && state.accepting() && mask().length == 0;
        }

        @Override
        public void reset() {
            state = automaton.start();
            begun = false;
            ended = false;
        }

        @Override
        public Sampler copy() {
            TextSampler copy = new TextSampler();
            copy.state = state;
            copy.begun = begun;
            copy.ended = ended;
            return copy;
        }
    }
}
