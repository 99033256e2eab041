package org.vecformer.engine.task;

import java.util.Objects;

/**
 * How to classify. Immutable; each {@code with} method gives a changed copy.
 *
 * @param function  what makes scores of logits
 * @param topK      how many labels are told; 0 for all
 * @param maxLength most tokens of an input, longer ones are truncated; 0 for what tokenizer and model allow
 */
public record ClassifierOptions(ScoreFunction function, int topK, int maxLength) {

    public ClassifierOptions {
        Objects.requireNonNull(function, "function");
        if (topK < 0) {
            throw new IllegalArgumentException("topK is " + topK + "; expected 0 (all labels) or more");
        }
        if (maxLength < 0) {
            throw new IllegalArgumentException("maxLength is " + maxLength + "; expected 0 (the model's) or more");
        }
    }

    /** All labels, the function that the model was trained for. */
    public static ClassifierOptions defaults() {
        return new ClassifierOptions(ScoreFunction.AUTO, 0, 0);
    }

    public ClassifierOptions withFunction(ScoreFunction function) {
        return new ClassifierOptions(function, topK, maxLength);
    }

    public ClassifierOptions withTopK(int topK) {
        return new ClassifierOptions(function, topK, maxLength);
    }

    public ClassifierOptions withMaxLength(int maxLength) {
        return new ClassifierOptions(function, topK, maxLength);
    }
}
