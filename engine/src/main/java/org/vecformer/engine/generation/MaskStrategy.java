package org.vecformer.engine.generation;

/** How a masked language model, which only fills gaps, is made to write. */
public enum MaskStrategy {
    /**
     * Several masks stand before the text's last separator; the first of them gets a token, and so on. The masks behind
     * it tell the model that the text goes on.
     */
    SEQUENTIAL,
    /**
     * One mask stands before the text's last separator, and again. The naive way, for comparison: right before the end
     * a model expects a full stop.
     */
    APPEND,
    /**
     * Positions get new tokens over and over, each given all others (Wang and Cho 2019, "BERT has a Mouth, and It Must
     * Speak: BERT as a Markov Random Field Language Model").
     */
    GIBBS
}
