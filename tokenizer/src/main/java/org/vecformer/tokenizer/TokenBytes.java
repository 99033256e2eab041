package org.vecformer.tokenizer;

/** The bytes an id stands for; what a decoder needs to know of a vocabulary. */
@FunctionalInterface
interface TokenBytes {
    /** The bytes of an id; none for an id without a token, or for a special token that is to be skipped. */
    byte[] of(int id, boolean skipSpecialTokens);
}
