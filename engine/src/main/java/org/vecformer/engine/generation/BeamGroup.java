package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;

/**
 * A beam search of its own: the beams that it goes on with, and the best of those that have ended. The rules and the
 * precision (float32) are those of Hugging Face transformers 5.
 */
final class BeamGroup {

    private final DecodingStrategy.BeamSearch strategy;
    private final int size;
    private final int mostTokens;
    private final List<Ended> ended = new ArrayList<>();
    private List<Beam> running;

    /** A hypothesis that has ended. */
    record Ended(Hypothesis hypothesis, float score, FinishReason reason) {

        Ended(Hypothesis hypothesis, DecodingStrategy.BeamSearch strategy, FinishReason reason) {
            this(hypothesis, Hypothesis.score(hypothesis.sum(), hypothesis.length(), strategy.lengthPenalty()), reason);
        }
    }

    /**
     * @param mostTokens that may be written
     * @param root       the prompt
     */
    BeamGroup(DecodingStrategy.BeamSearch strategy, int mostTokens, Beam root) {
        this.strategy = strategy;
        this.mostTokens = mostTokens;
        size = strategy.beams() / strategy.groups();
        running = List.of(root);
    }

    /** How many beams go on at most, and how many ended ones are kept. */
    int size() {
        return size;
    }

    /** The best first; empty when the search is over. */
    List<Beam> running() {
        return running;
    }

    void goOnWith(List<Beam> beams) {
        running = beams;
    }

    /** The best first. */
    List<Ended> ended() {
        return ended;
    }

    /** A hypothesis has ended; it is kept if it is among the best. */
    void end(Hypothesis hypothesis, FinishReason reason) {
        Ended added = new Ended(hypothesis, strategy, reason);
        int place = ended.size();
        while (place > 0 && ended.get(place - 1).score < added.score) {
            place--;
        }
        ended.add(place, added);
        if (ended.size() > size) {
            ended.removeLast();
        }
    }

    /**
     * Whether to look no further.
     *
     * @param bestSum of those that would go on
     * @param length  their number of tokens
     */
    boolean isSettled(float bestSum, int length) {
        if (ended.size() < size) {
            return false;
        }
        double penalty = strategy.lengthPenalty();
        return switch (strategy.earlyStopping()) {
            case WHEN_ENOUGH -> true;
            case WHEN_UNLIKELY -> !surpassesWorst(Hypothesis.score(bestSum, length, penalty));
            // A sum only sinks, but divided by more it may rise.
            case WHEN_IMPOSSIBLE ->
                !surpassesWorst(Hypothesis.score(bestSum, penalty > 0 ? mostTokens : length, penalty));
        };
    }

    private boolean surpassesWorst(float score) {
        return score > ended.getLast().score;
    }
}
