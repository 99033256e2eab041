package org.vecformer.engine.model;

import java.io.IOException;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.OpenAiGptConfig;

/**
 * OpenAI GPT (Radford et al., 2018, "Improving Language Understanding by Generative Pre-Training"): layer norms stand
 * behind attention and behind the feed-forward network, as in the transformer of 2017, and there is no final one. Agrees
 * with {@code OpenAIGPTLMHeadModel} and {@code OpenAIGPTDoubleHeadsModel} of Hugging Face transformers.
 */
public final class OpenAiGpt extends Gpt {

    static final String POSITIONS = "positions_embed.weight";

    private final OpenAiGptConfig config;

    OpenAiGpt(Engine engine, ModelFiles files, WeightMemory memory, OpenAiGptConfig config, Weights weights)
            throws IOException {
        super(engine, files, memory, config, weights, "tokens_embed.weight", POSITIONS, null);
        this.config = config;
    }

    /** Computes norm(x + attention(x)), then norm(y + feedForward(y)), block after block. */
    @Override
    boolean forward(Session session, Batch batch, Trace trace, BooleanSupplier stop, Tensor states) {
        Ops ops = session.ops;
        int rows = batch.rows();
        float scale = (float) (1 / Math.sqrt(config.headSize()));
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
            apply(ops, block.queriesKeysValues(), x, rows, null, null, a.qkv());
            ops.attention(a.qkv(), batch.packed, session.cache.memory(), i, scale, attended, attentionTrace);
            if (i == blocks.size() - 1 && trace == null) {
                // Rows have nothing more to do with each other: those go on whose logits are wanted.
                rows = batch.wantedCount;
                ops.gatherRows(x, batch.wanted, rows, states);
                ops.gatherRows(attended, batch.wanted, rows, a.normed());
                x = states;
                attended = a.normed();
            }
            apply(ops, block.attentionOutput(), attended, rows, null, x, a.y());
            norm(ops, block.attentionNorm(), a.y(), rows, a.y());
            apply(ops, block.up(), a.y(), rows, config.activation(), null, a.inner());
            apply(ops, block.down(), a.inner(), rows, null, a.y(), x);
            norm(ops, block.feedForwardNorm(), x, rows, x);
        }
        if (trace != null) {
            Tracing.hidden(ops, trace, blocks.size(), rows, x);
            ops.gatherRows(x, batch.wanted, batch.wantedCount, states);
        }
        return true;
    }
}
