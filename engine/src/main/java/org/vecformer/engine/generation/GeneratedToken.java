package org.vecformer.engine.generation;

/**
 * A token as it is written.
 *
 * @param sequence which of the sequences it continues, from 0
 * @param id       the token
 * @param text     the text that can be shown now: empty while a character's bytes are missing, while it could be the
 *                 beginning of a stop text, for an end token, and without a tokenizer; it may hold text of earlier tokens
 * @param score    how likely it was; null if {@link GenerationOptions#logprobs()} was not asked for
 */
public record GeneratedToken(int sequence, int id, String text, TokenScore score)
        implements
            TextPiece {}
