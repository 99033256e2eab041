package org.vecformer.engine.kernel;

import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Activation;

/**
 * The operations that models are written in. One object serves one session: it holds the session's memory, so it is used
 * by one thread at a time. All row counts may be smaller than the tensors'. Tensors, weights and caches are of the
 * backend's own making: others are refused with a {@link ClassCastException}.
 * <p>
 * An op may return before it has been computed; {@link #read} and {@link #await} wait for it, and say what went wrong.
 * <p>
 * On the CPU every result has the same bits on each backend, lane width and thread count, and in any batch: see the
 * package documentation for how.
 */
public interface Ops extends AutoCloseable {

    /** Room for activations, of any content. */
    Tensor tensor(int rows, int columns);

    /**
     * Room for keys and values.
     *
     * @param type how they are kept: F32 or BF16
     */
    KeyValueMemory keyValues(int pages, int layers, int heads, int headSize, WeightType type);

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
    void embed(int[] ids, int[] positionIds, int[] types, int rows, WeightMatrix tokens, WeightMatrix positions,
            WeightMatrix typeTable, Tensor out);

    /**
     * out = (x - mean) / sqrt(variance + epsilon) * gain + bias, for each row (Ba, Kiros and Hinton, 2016, "Layer
     * Normalization"); the variance is the mean square of the differences. {@code out} may be {@code x}.
     */
    void layerNorm(Tensor x, int rows, WeightVector gain, WeightVector bias, float epsilon, Tensor out);

    /**
     * out = activation(x W + bias) + residual. Bias, activation and residual may each be null; {@code out} is
     * neither {@code x} nor {@code residual}.
     */
    void matmul(Tensor x, int rows, WeightMatrix w, WeightVector bias, Activation activation, Tensor residual,
            Tensor out);

    /**
     * What every backend demands of a product's operands.
     *
     * @throws IllegalArgumentException if their shapes do not fit, or {@code out} is one of them
     */
    static void checkProduct(Tensor x, int rows, WeightMatrix w, Tensor residual, Tensor out) {
        if (x.columns() != w.inputs() || out.columns() != w.outputs() || rows > x.rows() || rows > out.rows()) {
            throw new IllegalArgumentException(
                    "matmul of " + rows + " rows: x is " + x.rows() + " x " + x.columns() + ", W is "
                            + w.inputs() + " x " + w.outputs() + ", out is " + out.rows() + " x " + out.columns());
        }
        if (out == x || out == residual) {
            throw new IllegalArgumentException(
                    "matmul needs an output of its own: partial sums would overwrite x or the residual");
        }
    }

    /**
     * Appends the keys and values of the batch's rows to the cache, then lets each row attend to its sequence's
     * positions, to all of them or to those up to its own as the batch says: out = softmax(q K^T * scale) V (Vaswani
     * et al., 2017, "Attention Is All You Need").
     *
     * @param qkv   rows of 3 x hidden: queries, keys, values, each with the heads side by side
     * @param out   rows of hidden
     * @param trace receives the attention probabilities; null when nobody asked
     */
    void attention(Tensor qkv, PackedBatch batch, KeyValueMemory cache, int layer, float scale, Tensor out,
            AttentionTrace trace);

    /** out[i] = x[rows[i]] for i below count. */
    void gatherRows(Tensor x, int[] rows, int count, Tensor out);

    /** Copies a row's numbers out, when they have been computed. Several threads may read at once. */
    void read(Tensor x, int row, float[] destination);

    /**
     * Whether tensors lie in a memory of their own, so that each row that is read has to be carried over. Where they do,
     * {@link #argMax}, {@link #topK} and {@link #logSumExp} bring back a few numbers in the place of a row.
     */
    boolean isRemote();

    /**
     * Finds the largest number of each of the first rows. Like {@link #read} this waits for what is read, as the two
     * below do.
     *
     * @param ids receives its column, of equal ones the first; NaN counts as negative infinity, so that a row with
     *            nothing above that gives 0
     */
    void argMax(Tensor x, int rows, int[] ids);

    /**
     * Finds the k largest numbers of a row: in descending order, equal ones (as the two zeros are) by column, NaN last.
     *
     * @param k      1 or more
     * @param ids    receives their columns
     * @param values receives the numbers
     * @return how many there are: k, or all columns if these are fewer
     */
    int topK(Tensor x, int row, int k, int[] ids, float[] values);

    /**
     * The logarithm of the sum of e^x over a row: what to subtract from a logit for its log-probability. Negative
     * infinity if no number is above that.
     */
    double logSumExp(Tensor x, int row);

    /** Copies a row's numbers in. */
    void write(float[] source, Tensor x, int row);

    /** Waits until all that was asked for has been computed. */
    void await();

    /** Frees the session's memory. */
    @Override
    void close();
}
