package org.vecformer.engine.task;

import java.util.Objects;
import java.util.Optional;

/**
 * How to rank. Immutable; each {@code with} method gives a changed copy.
 *
 * @param function  what makes scores of logits; {@link ScoreFunction#AUTO}: what the model's config tells, or else the
 *                  sigmoid for one label, softmax for several
 * @param label     whose score ranks, if the model has several; empty for a model with one
 * @param maxLength most tokens of a query with a document, longer ones are truncated; 0 for what tokenizer and model
 *                  allow
 */
public record RerankerOptions(ScoreFunction function, Optional<String> label, int maxLength) {

    public RerankerOptions {
        Objects.requireNonNull(function, "function");
        Objects.requireNonNull(label, "label");
        if (maxLength < 0) {
            throw new IllegalArgumentException("maxLength is " + maxLength + "; expected 0 (the model's) or more");
        }
    }

    /** The score of a model with one label, by the function that it was trained for. */
    public static RerankerOptions defaults() {
        return new RerankerOptions(ScoreFunction.AUTO, Optional.empty(), 0);
    }

    public RerankerOptions withFunction(ScoreFunction function) {
        return new RerankerOptions(function, label, maxLength);
    }

    public RerankerOptions withLabel(String label) {
        return new RerankerOptions(function, Optional.of(label), maxLength);
    }

    public RerankerOptions withMaxLength(int maxLength) {
        return new RerankerOptions(function, label, maxLength);
    }
}
