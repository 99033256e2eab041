package org.vecformer.engine.generation;

/** In which order {@link MaskStrategy#GIBBS} gives positions new tokens. */
public enum ResampleOrder {
    /** Each time any of them, all equally likely. */
    RANDOM,
    /** One after the other, and again from the left. */
    LEFT_TO_RIGHT
}
