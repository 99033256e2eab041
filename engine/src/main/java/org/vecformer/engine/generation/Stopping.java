package org.vecformer.engine.generation;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where a continuation ends. Immutable; each {@code with} method gives a changed copy.
 *
 * @param maxNewTokens the most tokens to write; empty if only {@code maxLength} or the context length bounds them
 * @param maxLength    the most tokens of prompt and continuation together; empty for the context length
 * @param endTokens    ids that end the text; the end token is the last of the result's ids, its text is not shown
 * @param stopTexts    texts that end the text, wherever in tokens they begin and end; only what is written counts, not
 *                     the prompt
 * @param includeStop  whether the stop text is part of the result's text; nothing behind it ever is
 * @param maxTime      ends the generation before the first step that would begin after so much time, with what was
 *                     written so far
 * @param condition    the caller's own
 */
public record Stopping(OptionalInt maxNewTokens, OptionalInt maxLength, List<Integer> endTokens, List<String> stopTexts,
        boolean includeStop, Optional<Duration> maxTime, StopCondition condition) {

    public Stopping {
        Objects.requireNonNull(condition, "condition");
        if (maxNewTokens.isPresent() && maxNewTokens.getAsInt() < 0) {
            throw new IllegalArgumentException("maxNewTokens is " + maxNewTokens.getAsInt() + "; expected 0 or more");
        }
        if (maxLength.isPresent() && maxLength.getAsInt() < 1) {
            throw new IllegalArgumentException("maxLength is " + maxLength.getAsInt() + "; expected 1 or more");
        }
        if (maxTime.isPresent() && (maxTime.get().isNegative() || maxTime.get().isZero())) {
            throw new IllegalArgumentException("maxTime is " + maxTime.get() + "; expected a time above 0");
        }
        endTokens = List.copyOf(endTokens);
        stopTexts = List.copyOf(stopTexts);
        if (stopTexts.contains("")) {
            throw new IllegalArgumentException("a stop text is empty; expected at least one character");
        }
    }

    /** When the context is full. */
    public static Stopping whenFull() {
        return new Stopping(OptionalInt.empty(), OptionalInt.empty(), List.of(), List.of(), false, Optional.empty(),
                StopCondition.NEVER);
    }

    public Stopping withMaxNewTokens(int maxNewTokens) {
        return new Stopping(OptionalInt.of(maxNewTokens), maxLength, endTokens, stopTexts, includeStop, maxTime,
                condition);
    }

    public Stopping withMaxLength(int maxLength) {
        return new Stopping(maxNewTokens, OptionalInt.of(maxLength), endTokens, stopTexts, includeStop, maxTime,
                condition);
    }

    /** With neither bound. */
    public Stopping withoutBounds() {
        return new Stopping(OptionalInt.empty(), OptionalInt.empty(), endTokens, stopTexts, includeStop, maxTime,
                condition);
    }

    public Stopping withEndTokens(List<Integer> endTokens) {
        return new Stopping(maxNewTokens, maxLength, endTokens, stopTexts, includeStop, maxTime, condition);
    }

    public Stopping withStopTexts(List<String> stopTexts) {
        return new Stopping(maxNewTokens, maxLength, endTokens, stopTexts, includeStop, maxTime, condition);
    }

    public Stopping withIncludeStop(boolean includeStop) {
        return new Stopping(maxNewTokens, maxLength, endTokens, stopTexts, includeStop, maxTime, condition);
    }

    public Stopping withMaxTime(Duration maxTime) {
        return new Stopping(maxNewTokens, maxLength, endTokens, stopTexts, includeStop, Optional.of(maxTime),
                condition);
    }

    public Stopping withCondition(StopCondition condition) {
        return new Stopping(maxNewTokens, maxLength, endTokens, stopTexts, includeStop, maxTime, condition);
    }

    /** The end tokens, sorted. */
    int[] sortedEndTokens() {
        return endTokens.stream().mapToInt(Integer::intValue).sorted().distinct().toArray();
    }

    /** The most tokens of prompt and continuation together in a model of this context length. */
    int bound(int promptLength, int contextLength) {
        long bound = Math.min(contextLength, maxLength.orElse(Integer.MAX_VALUE));
        bound = Math.min(bound, (long) promptLength + maxNewTokens.orElse(Integer.MAX_VALUE));
        return (int) Math.max(promptLength, bound);
    }
}
