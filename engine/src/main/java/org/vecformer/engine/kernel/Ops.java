package org.vecformer.engine.kernel;

import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Activation;

/**
 * The operations that models are written in. One object serves one session: it holds the scratch memory, so it is used
 * by one thread at a time. All row counts may be smaller than the tensors'.
 * <p>
 * On the CPU every result has the same bits on each backend, lane width and thread count, and in any batch: see the
 * package documentation for how.
 */
public interface Ops {

    /**
     * out[r] = tokens[ids[r]] + positions[positionIds[r]] + typeTable[types[r]]: word, position and token type
     * embeddings.
     *
     * @param types     -1 in rows without a token type
     * @param tokens    packed with the vocabulary as outputs and the hidden size as inputs, as a tied output layer
     *                  needs it
     * @param positions packed likewise
     * @param typeTable packed likewise; GPT's token types are words, so that it is {@code tokens}
     */
    void embed(int[] ids, int[] positionIds, int[] types, int rows, PackedMatrix tokens, PackedMatrix positions,
            PackedMatrix typeTable, Tensor out);

    /**
     * out = (x - mean) / sqrt(variance + epsilon) * gain + bias, for each row (Ba, Kiros and Hinton, 2016, "Layer
     * Normalization"); the variance is the mean square of the differences. {@code out} may be {@code x}.
     */
    void layerNorm(Tensor x, int rows, PackedVector gain, PackedVector bias, float epsilon, Tensor out);

    /**
     * out = activation(x W + bias) + residual. Bias, activation and residual may each be null; {@code out} is
     * neither {@code x} nor {@code residual}.
     */
    void matmul(Tensor x, int rows, PackedMatrix w, PackedVector bias, Activation activation, Tensor residual,
            Tensor out);

    /**
     * Appends the keys and values of the batch's rows to the cache, then lets each row attend to its sequence's
     * positions, to all of them or to those up to its own as the batch says: out = softmax(q K^T * scale) V (Vaswani
     * et al., 2017, "Attention Is All You Need").
     *
     * @param qkv   rows of 3 x hidden: queries, keys, values, each with the heads side by side
     * @param out   rows of hidden
     * @param trace receives the attention probabilities; null when nobody asked
     */
    void attention(Tensor qkv, PackedBatch batch, KeyValuePages cache, int layer, float scale, Tensor out,
            AttentionTrace trace);

    /** out[i] = x[rows[i]] for i below count. */
    void gatherRows(Tensor x, int[] rows, int count, Tensor out);
}
