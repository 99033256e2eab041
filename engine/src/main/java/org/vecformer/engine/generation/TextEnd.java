package org.vecformer.engine.generation;

/**
 * The end of a sequence: its last piece.
 *
 * @param sequence which of the sequences has ended, from 0
 * @param text     what had been held back and belongs to it
 * @param reason   why it ended
 */
public record TextEnd(int sequence, String text, FinishReason reason) implements TextPiece {}
