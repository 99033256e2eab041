package org.vecformer.engine.generation;

/** A prompt leaves no room for a single new token in the model's context, and truncation was not asked for. */
public final class PromptTooLongException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    /** @param message how long the prompt is and what fits */
    public PromptTooLongException(String message) {
        super(message);
    }
}
