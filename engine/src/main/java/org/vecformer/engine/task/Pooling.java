package org.vecformer.engine.task;

import org.vecformer.loader.SentenceConfig;

/**
 * How the states of a text's tokens become one vector. Several are concatenated in this order, which is that of
 * sentence-transformers (Reimers and Gurevych 2019, "Sentence-BERT", and its {@code models/Pooling.py}). Tokens that are
 * not attended to do not count.
 */
public enum Pooling {
    /** The state of the first token. */
    CLS,
    /** The largest number of each dimension. */
    MAX,
    /** The mean of the states. */
    MEAN,
    /** The sum of the states divided by the square root of their number. */
    MEAN_SQRT_LEN,
    /** The mean of the states weighted by their positions 1, 2, 3, ... (Muennighoff 2022, "SGPT"). */
    WEIGHTED_MEAN,
    /** The state of the last token. */
    LAST_TOKEN,
    /** BERT's own: a trained layer and tanh behind the state of the first token (Devlin et al. 2018). */
    POOLER;

    static Pooling of(SentenceConfig.Pooling pooling) {
        return valueOf(pooling.name());
    }
}
