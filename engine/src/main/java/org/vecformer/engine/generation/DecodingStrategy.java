package org.vecformer.engine.generation;

import java.util.Objects;
import java.util.OptionalLong;

/** How the tokens of a continuation are chosen. */
public sealed interface DecodingStrategy {

    /** The most likely token, each time. */
    record GreedySearch() implements DecodingStrategy {}

    /**
     * Tokens drawn at random by their probability (ancestral sampling).
     *
     * @param seed the same seed gives the same text, on every machine; empty for a new one each time. Of several
     *             sequences each has random numbers of its own: {@link GenerationOptions#seedOf}
     */
    record RandomSampling(OptionalLong seed) implements DecodingStrategy {
        public RandomSampling {
            Objects.requireNonNull(seed, "seed");
        }

        @Override
        public boolean drawsTokens() {
            return true;
        }

        @Override
        public RandomSampling withSeed(long seed) {
            return new RandomSampling(OptionalLong.of(seed));
        }
    }

    /**
     * Several continuations at once, of which the ones with the largest sums of log-probabilities go on: beam search, as
     * in Hugging Face transformers 5; with {@code draws} beam sampling (continuations are drawn without replacement);
     * with several groups diverse beam search (Vijayakumar et al. 2016, arXiv 1610.02424): each group is a search of its
     * own, whose tokens cost {@code diversityPenalty} for each beam of the groups before it that took the same token in
     * this step (Hamming diversity).
     *
     * @param beams            how many go on, of all groups together
     * @param lengthPenalty    a finished continuation's score is its sum of log-probabilities divided by (its number of
     *                         tokens to this power): above 0 favours long ones
     * @param earlyStopping    when to stop looking for better ones
     * @param groups           1 for plain beam search; divides {@code beams}
     * @param diversityPenalty 0 or more, used with several groups
     * @param draws            whether to draw continuations instead of taking the best; not with several groups
     * @param seed             of the drawing; empty for a new one each time
     */
    record BeamSearch(int beams, double lengthPenalty, EarlyStopping earlyStopping, int groups, double diversityPenalty,
            boolean draws, OptionalLong seed) implements DecodingStrategy {
        public BeamSearch {
            Objects.requireNonNull(earlyStopping, "earlyStopping");
            Objects.requireNonNull(seed, "seed");
            if (beams < 1) {
                throw new IllegalArgumentException("the number of beams is " + beams + "; expected 1 or more");
            }
            if (!Double.isFinite(lengthPenalty)) {
                throw new IllegalArgumentException(
                        "the length penalty is " + lengthPenalty + "; expected a finite number");
            }
            if (groups < 1 || beams % groups != 0) {
                throw new IllegalArgumentException(
                        "the number of beam groups is " + groups + "; expected a divisor of the " + beams + " beams");
            }
            if (!(diversityPenalty >= 0) || diversityPenalty == Double.POSITIVE_INFINITY) {
                throw new IllegalArgumentException(
                        "the diversity penalty is " + diversityPenalty + "; expected 0 or more");
            }
            if (groups > 1 && draws) {
                throw new IllegalArgumentException("beams in several groups are not drawn; choose one of the two");
            }
            if (groups == 1 && diversityPenalty > 0) {
                throw new IllegalArgumentException("a diversity penalty needs several beam groups; there is one");
            }
        }

        /** Plain beam search. */
        public BeamSearch(int beams) {
            this(beams, 1, EarlyStopping.WHEN_UNLIKELY, 1, 0, false, OptionalLong.empty());
        }

        public BeamSearch withLengthPenalty(double lengthPenalty) {
            return new BeamSearch(beams, lengthPenalty, earlyStopping, groups, diversityPenalty, draws, seed);
        }

        public BeamSearch withEarlyStopping(EarlyStopping earlyStopping) {
            return new BeamSearch(beams, lengthPenalty, earlyStopping, groups, diversityPenalty, draws, seed);
        }

        public BeamSearch withGroups(int groups, double diversityPenalty) {
            return new BeamSearch(beams, lengthPenalty, earlyStopping, groups, diversityPenalty, draws, seed);
        }

        /** Beam sampling with a new seed each time, which {@link #withSeed} can set. */
        public BeamSearch withDrawing() {
            return new BeamSearch(beams, lengthPenalty, earlyStopping, groups, diversityPenalty, true, seed);
        }

        @Override
        public boolean drawsTokens() {
            return draws;
        }

        @Override
        public BeamSearch withSeed(long seed) {
            return draws
                    ? new BeamSearch(beams, lengthPenalty, earlyStopping, groups, diversityPenalty, true,
                            OptionalLong.of(seed))
                    : this;
        }
    }

    /**
     * Of the k most likely tokens that with the largest (1 - alpha) x probability - alpha x (largest cosine similarity of
     * its hidden state to those before). (Su et al. 2022, arXiv 2202.06417.)
     *
     * @param topK         how many tokens are looked at; at least 1
     * @param penaltyAlpha 0 (greedy search) to 1
     */
    record ContrastiveSearch(int topK, double penaltyAlpha) implements DecodingStrategy {
        public ContrastiveSearch {
            if (topK < 1) {
                throw new IllegalArgumentException("the top-k of contrastive search is " + topK
                        + "; expected 1 or more");
            }
            if (!(penaltyAlpha >= 0 && penaltyAlpha <= 1)) {
                throw new IllegalArgumentException("the penalty alpha is " + penaltyAlpha + "; expected 0 to 1");
            }
        }
    }

    /** The most likely token, each time. */
    static DecodingStrategy greedy() {
        return new GreedySearch();
    }

    /** Draws tokens, with this seed. */
    static DecodingStrategy random(long seed) {
        return new RandomSampling(OptionalLong.of(seed));
    }

    /** Draws tokens, with a new seed each time. */
    static DecodingStrategy random() {
        return new RandomSampling(OptionalLong.empty());
    }

    /** Whether it draws random numbers. */
    default boolean drawsTokens() {
        return false;
    }

    /** The seed, if it draws and has one. */
    default OptionalLong seed() {
        return OptionalLong.empty();
    }

    /** The same with this seed; the strategy itself if it does not draw. */
    default DecodingStrategy withSeed(long seed) {
        return this;
    }
}
