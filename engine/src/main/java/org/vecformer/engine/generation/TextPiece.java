package org.vecformer.engine.generation;

/** A piece of text that a generation tells. The texts of all pieces of a sequence together are its result's text. */
public sealed interface TextPiece permits GeneratedToken, TextEnd {

    /** Which of the sequences it belongs to, from 0. */
    int sequence();

    /** What can be shown now; it may be empty. */
    String text();
}
