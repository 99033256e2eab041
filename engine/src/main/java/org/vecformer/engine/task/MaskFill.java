package org.vecformer.engine.task;

import java.util.List;

/**
 * What may stand at a mask.
 *
 * @param position   of the mask among the tokens
 * @param candidates by descending probability
 */
public record MaskFill(int position, List<Candidate> candidates) {

    public MaskFill {
        candidates = List.copyOf(candidates);
    }

    /**
     * A token that may stand there.
     *
     * @param id          the token
     * @param token       as the vocabulary spells it; empty without a tokenizer
     * @param probability among all tokens of the vocabulary, also where only some were asked for
     * @param text        the input with this token at the mask: without special tokens if it was the only mask, else
     *                    with them and the other masks, as Hugging Face's pipeline has it; empty without a tokenizer
     */
    public record Candidate(int id, String token, double probability, String text) {}
}
