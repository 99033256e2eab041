package org.vecformer.engine.model;

import java.io.IOException;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.ModelFiles;

/**
 * GPT-2 (Radford et al., 2019, "Language Models are Unsupervised Multitask Learners"): layer norms stand before
 * attention and before the feed-forward network, and a final one behind the last block. Agrees with {@code
 * GPT2LMHeadModel} and {@code GPT2DoubleHeadsModel} of Hugging Face transformers.
 */
public final class Gpt2 extends Gpt {

    static final String POSITIONS = "wpe.weight";

    private final Gpt2Config config;

    Gpt2(Engine engine, ModelFiles files, WeightMemory memory, Gpt2Config config, Weights weights) throws IOException {
        super(engine, files, memory, config, weights, "wte.weight", POSITIONS, "ln_f");
        this.config = config;
    }

    /** Computes x + attention(norm(x)), then y + feedForward(norm(y)), block after block, and the norm of the last. */
    @Override
    boolean forward(Session session, Batch batch, Trace trace, BooleanSupplier stop, Tensor states) {
        Ops ops = session.ops;
        int rows = batch.rows();
        var a = session.activations;
        AttentionTrace attentionTrace = Tracing.attention(trace);

        embed(ops, batch, a.x());
        Tensor x = a.x();
        Tensor attended = a.attended();
        for (int i = 0; i < blocks.size(); i++) {
            if (stop.getAsBoolean()) {
                return false;
            }
            Block block = blocks.get(i);
            Tracing.hidden(ops, trace, i, rows, x);
            norm(ops, block.attentionNorm(), x, rows, a.normed());
            apply(ops, block.queriesKeysValues(), a.normed(), rows, null, null, a.qkv());
            ops.attention(a.qkv(), batch.packed, session.cache.memory(), i, attentionScale(i), attended,
                    attentionTrace);
            if (i == blocks.size() - 1 && trace == null) {
                // Rows have nothing more to do with each other: those go on whose logits are wanted.
                rows = batch.wantedCount;
                ops.gatherRows(x, batch.wanted, rows, states);
                ops.gatherRows(attended, batch.wanted, rows, a.normed());
                x = states;
                attended = a.normed();
            }
            apply(ops, block.attentionOutput(), attended, rows, null, x, a.y());
            norm(ops, block.feedForwardNorm(), a.y(), rows, a.normed());
            apply(ops, block.up(), a.normed(), rows, config.activation(), null, a.inner());
            apply(ops, block.down(), a.inner(), rows, null, a.y(), x);
        }
        if (trace != null) {
            norm(ops, finalNorm, x, rows, a.normed());
            Tracing.hidden(ops, trace, blocks.size(), rows, a.normed());
            ops.gatherRows(x, batch.wanted, batch.wantedCount, states);
        }
        norm(ops, finalNorm, states, batch.wantedCount, states);
        return true;
    }

    /** What scores are multiplied with: 1 / sqrt(head size), and 1 / (block number) where the config says so. */
    private float attentionScale(int block) {
        double scale = config.scaleAttentionWeights() ? 1 / Math.sqrt(config.headSize()) : 1;
        return (float) (config.scaleAttentionByInverseLayerIndex() ? scale / (block + 1) : scale);
    }
}
