package org.vecformer.yardstick;

import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.GptConfig;

/** How much a GPT has to read and to compute: the arithmetic behind shares of the machine's limits. */
public final class GptWork {

    private GptWork() {
    }

    /** Numbers in the matrices of all blocks: queries, keys, values, attention output, feed-forward up and down. */
    static long blockWeights(GptConfig config) {
        long hidden = config.hiddenSize();
        return config.layers() * (4 * hidden * hidden + 2 * hidden * config.innerSize());
    }

    /** Bytes of a matrix. One that has no whole blocks of inputs is not quantized: the engine keeps it in float32. */
    private static long bytes(long inputs, long outputs, WeightType type) {
        WeightType kept = type.quantized() && inputs % WeightType.BLOCK != 0 ? WeightType.F32 : type;
        return inputs * outputs * kept.blockBytes() / WeightType.BLOCK;
    }

    /** Numbers in biases and layer norms, which are float32 always. */
    static long vectorWeights(GptConfig config) {
        long hidden = config.hiddenSize();
        long norm = 2 * hidden;
        return config.layers() * (2 * norm + 3 * hidden + hidden + config.innerSize() + hidden)
                + (config instanceof Gpt2Config ? norm : 0);
    }

    /**
     * Bytes of weights that must be read to generate one token: everything but the embeddings, of which one row each is
     * used (the output layer, tied or not, counts in full). What is read of the key/value cache is not counted, so
     * shares come out a little low.
     */
    public static long bytesPerToken(GptConfig config, WeightType type) {
        long hidden = config.hiddenSize();
        long inner = config.innerSize();
        long block = bytes(hidden, 4 * hidden, type) + bytes(hidden, inner, type) + bytes(inner, hidden, type);
        return config.layers() * block + bytes(hidden, config.vocabularySize(), type)
                + vectorWeights(config) * Float.BYTES;
    }

    /**
     * Floating-point operations for a prompt of so many tokens when only the last one's logits are wanted: two for each
     * weight of a matrix and token, and for attention's two products over the positions up to each token's own. Behind
     * the last block's attention only the last token goes on. Norms, softmax and activation are not counted (under 1 %).
     */
    public static long flopsPerPrompt(GptConfig config, int tokens) {
        long head = (long) config.hiddenSize() * config.vocabularySize();
        long pairs = tokens * (tokens + 1L) / 2;
        long attention = 4L * config.layers() * config.hiddenSize() * pairs;
        long behindAttention = (long) config.hiddenSize() * config.hiddenSize()
                + 2L * config.hiddenSize() * config.innerSize();
        return 2 * (blockWeights(config) * tokens - behindAttention * (tokens - 1)) + attention + 2 * head;
    }
}
