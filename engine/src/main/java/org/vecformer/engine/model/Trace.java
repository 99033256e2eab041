package org.vecformer.engine.model;

/**
 * Sees inside a step: hidden states and attention probabilities, as Hugging Face's {@code output_hidden_states} and
 * {@code output_attentions} give them. Attention comes from several threads at once.
 */
public interface Trace {

    /**
     * The hidden state of a row: layer 0 is the embeddings, layer i the output of block i. The last one of a GPT-2 has
     * gone through the final layer norm, too.
     */
    default void hidden(int layer, int row, float[] state) {
    }

    /**
     * Whether to compute attention probabilities for {@link #attention}.
     */
    default boolean wantsAttention() {
        return false;
    }

    /**
     * How a row's head of a block (counted from 0) attends to the positions that it sees: 0 to its own in a decoder, all
     * that are attended to in an encoder.
     */
    default void attention(int block, int head, int row, float[] probabilities) {
    }
}
