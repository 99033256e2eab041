package org.vecformer.yardstick;

import java.util.List;
import org.vecformer.loader.BertConfig;

/** How much a BERT has to compute: the arithmetic behind shares of the machine's limits. */
public final class BertWork {

    private BertWork() {
    }

    /** Numbers in the matrices of all blocks: queries, keys, values, attention output, feed-forward up and down. */
    static long blockWeights(BertConfig config) {
        long hidden = config.hiddenSize();
        return config.layers() * (4 * hidden * hidden + 2 * hidden * config.innerSize());
    }

    /**
     * Floating-point operations for the last hidden states of sequences of these lengths: two for each weight of a
     * matrix and token, and for attention's two products of every position with every position of its sequence. Padding
     * is not counted, whoever computes it; nor are embeddings, norms, softmax and activation (about 1 %).
     */
    public static long flops(BertConfig config, List<Integer> lengths) {
        long tokens = 0;
        long pairs = 0;
        for (int length : lengths) {
            tokens += length;
            pairs += (long) length * length;
        }
        return 2 * blockWeights(config) * tokens + 4L * config.layers() * config.hiddenSize() * pairs;
    }
}
