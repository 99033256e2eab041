package org.vecformer.engine.generation;

/** Why a generation ended. */
public enum FinishReason {
    /** The number of tokens asked for, or the model's context length, was reached. */
    LENGTH,
    /** The model wrote an end token. */
    EOS,
    /** A stop text was written. */
    STOP,
    /** The time was over. */
    TIME,
    /** Somebody cancelled it. */
    CANCELLED
}
