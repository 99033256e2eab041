package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.LogitsNeeded;

/**
 * What is wanted of the logits behind a context.
 *
 * @param toChoose what the samplers need to choose the next token
 * @param toTell   its score is told, with so many most likely tokens; negative if none is
 */
record Wanted(LogitsNeeded toChoose, int toTell) {

    static final Wanted ALL = new Wanted(LogitsNeeded.ALL, -1);

    boolean isTold() {
        return toTell >= 0;
    }
}
