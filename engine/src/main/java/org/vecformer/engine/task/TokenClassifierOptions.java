package org.vecformer.engine.task;

import java.util.List;
import java.util.Objects;

/**
 * How to tag. Immutable; each {@code with} method gives a changed copy.
 *
 * @param aggregation  how labels of tokens become entities
 * @param ignoreLabels labels that are not told
 * @param maxLength    most tokens of a sequence, special ones included; 0 for what tokenizer and model allow
 * @param stride       tokens that neighbouring windows of a longer text have in common; 0 to truncate it instead
 */
public record TokenClassifierOptions(Aggregation aggregation, List<String> ignoreLabels, int maxLength, int stride) {

    public TokenClassifierOptions {
        Objects.requireNonNull(aggregation, "aggregation");
        ignoreLabels = List.copyOf(ignoreLabels);
        if (maxLength < 0) {
            throw new IllegalArgumentException("maxLength is " + maxLength + "; expected 0 (the model's) or more");
        }
        if (stride < 0) {
            throw new IllegalArgumentException("stride is " + stride + "; expected 0 (truncate) or more");
        }
    }

    /** Each token by itself, but those with the label {@code O}; long texts are truncated. */
    public static TokenClassifierOptions defaults() {
        return new TokenClassifierOptions(Aggregation.NONE, List.of("O"), 0, 0);
    }

    public TokenClassifierOptions withAggregation(Aggregation aggregation) {
        return new TokenClassifierOptions(aggregation, ignoreLabels, maxLength, stride);
    }

    public TokenClassifierOptions withIgnoreLabels(String... ignoreLabels) {
        return new TokenClassifierOptions(aggregation, List.of(ignoreLabels), maxLength, stride);
    }

    public TokenClassifierOptions withMaxLength(int maxLength) {
        return new TokenClassifierOptions(aggregation, ignoreLabels, maxLength, stride);
    }

    public TokenClassifierOptions withStride(int stride) {
        return new TokenClassifierOptions(aggregation, ignoreLabels, maxLength, stride);
    }
}
