package org.vecformer.engine.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.MatrixPacker.Order;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.ModelFiles;

/**
 * GPT-2 (Radford et al., 2019, "Language Models are Unsupervised Multitask Learners"): a decoder of blocks with the
 * layer norm before attention and before the feed-forward network, learned position embeddings, and an output layer
 * that is tied to the token embeddings. Agrees with {@code GPT2LMHeadModel} of Hugging Face transformers.
 * <p>
 * Immutable and thread-safe; what a run changes is in its {@link Session}. The weights are off-heap, or on the device that computes, and freed
 * by {@link #close}.
 */
public final class Gpt2 implements AutoCloseable {

    private final Engine engine;
    private final WeightMemory memory;
    private final Gpt2Config config;
    private final WeightMatrix tokenEmbeddings;
    private final WeightMatrix positionEmbeddings;
    private final List<Block> blocks;
    private final LayerNorm finalNorm;
    private final Head headKind;
    private final Linear head;
    private final long parameters;
    private final long weightBytes;
    private volatile boolean closed;

    /** What the output layer tells of a position. */
    public enum Head {
        /** A logit for each token that may come next. */
        LANGUAGE_MODEL("GPT2LMHeadModel"),
        /** A logit for each label, read at the text's last token. */
        SEQUENCE_CLASSIFIER("GPT2ForSequenceClassification"),
        /** A logit for each label. */
        TOKEN_CLASSIFIER("GPT2ForTokenClassification"),
        /** A logit for the answer's beginning here, and one for its end. */
        QUESTION_ANSWERING("GPT2ForQuestionAnswering");

        private final String architecture;

        Head(String architecture) {
            this.architecture = architecture;
        }

        private static Head of(List<String> architectures) {
            return Stream.of(values()).filter(head -> architectures.contains(head.architecture)).findFirst()
                    .orElse(LANGUAGE_MODEL);
        }
    }

    private record Block(LayerNorm attentionNorm, Linear queriesKeysValues, Linear attentionOutput,
            LayerNorm feedForwardNorm,
            Linear up, Linear down) {}

    private Gpt2(Engine engine, WeightMemory memory, Gpt2Config config, Weights weights) throws IOException {
        this.engine = engine;
        this.memory = memory;
        this.config = config;
        int hidden = config.hiddenSize();
        tokenEmbeddings = weights.matrix("wte.weight", Order.OUTPUTS_FIRST, hidden, config.vocabularySize());
        positionEmbeddings = weights.table("wpe.weight", config.contextLength(), hidden);
        blocks = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String name = "h." + i + ".";
            blocks.add(new Block(
                    layerNorm(weights, name + "ln_1"),
                    linear(weights, name + "attn.c_attn", hidden, 3 * hidden),
                    linear(weights, name + "attn.c_proj", hidden, hidden),
                    layerNorm(weights, name + "ln_2"),
                    linear(weights, name + "mlp.c_fc", hidden, config.innerSize()),
                    linear(weights, name + "mlp.c_proj", config.innerSize(), hidden)));
        }
        finalNorm = layerNorm(weights, "ln_f");
        headKind = Head.of(config.architectures());
        head = switch (headKind) {
            case LANGUAGE_MODEL -> new Linear(config.tieWordEmbeddings()
                    ? tokenEmbeddings
                    : weights.matrix("lm_head.weight", Order.OUTPUTS_FIRST, hidden, config.vocabularySize()), null);
            case SEQUENCE_CLASSIFIER -> classifier(weights, "score.weight", null);
            case TOKEN_CLASSIFIER -> classifier(weights, "classifier.weight", "classifier.bias");
            case QUESTION_ANSWERING -> classifier(weights, "qa_outputs.weight", "qa_outputs.bias");
        };
        parameters = weights.parameters();
        weightBytes = weights.bytes();
    }

    private static Linear linear(Weights weights, String name, int inputs, int outputs) throws IOException {
        // GPT-2's Conv1D keeps inputs as rows.
        return new Linear(weights.matrix(name + ".weight", Order.INPUTS_FIRST, inputs, outputs),
                weights.vector(name + ".bias", outputs));
    }

    private Linear classifier(Weights weights, String weight, String bias) throws IOException {
        int labels = weights.rows(weight);
        return new Linear(weights.matrix(weight, Order.OUTPUTS_FIRST, config.hiddenSize(), labels),
                bias == null ? null : weights.vector(bias, labels));
    }

    private LayerNorm layerNorm(Weights weights, String name) throws IOException {
        return new LayerNorm(weights.vector(name + ".weight", config.hiddenSize()),
                weights.vector(name + ".bias", config.hiddenSize()));
    }

    /**
     * Reads a model's config and weights.
     *
     * @throws FormatException when a file is not what it should be; the message names the file, the tensor or field,
     *                         what is there and what was expected
     * @throws IOException     when a file cannot be read
     */
    public static Gpt2 load(Engine engine, ModelFiles files, LoadOptions options) throws IOException {
        Gpt2Config config = Gpt2Config.read(files.config());
        WeightMemory memory = engine.compute().openWeights();
        try (Checkpoint checkpoint = Checkpoint.open(files);
                Weights weights = new Weights(engine.compute(), checkpoint, memory, options,
                        List.of("transformer.", ""),
                        "wte.weight")) {
            return new Gpt2(engine, memory, config, weights);
        } catch (Throwable e) {
            memory.close();
            throw e;
        }
    }

    /**
     * Computes a step: x + attention(norm(x)), then y + feedForward(norm(y)), block after block. Rows of the batch are
     * independent but for attention, which looks at the cache.
     *
     * @param states receives the final hidden states of the rows whose logits are wanted
     * @param logits receives their logits
     */
    void forward(Session session, Batch batch, Trace trace, Tensor states, Tensor logits) {
        Ops ops = session.ops;
        int rows = batch.rows();
        float epsilon = (float) config.layerNormEpsilon();
        var a = session.activations;
        AttentionTrace attentionTrace = trace != null && trace.wantsAttention() ? trace::attention : null;

        ops.embed(batch.ids, batch.positions, batch.types, rows, tokenEmbeddings, positionEmbeddings,
                tokenEmbeddings, a.x());
        Tensor x = a.x();
        Tensor attended = a.attended();
        for (int i = 0; i < blocks.size(); i++) {
            Block block = blocks.get(i);
            Tracing.hidden(ops, trace, i, rows, x);
            ops.layerNorm(x, rows, block.attentionNorm.gain(), block.attentionNorm.bias(), epsilon, a.normed());
            ops.matmul(a.normed(), rows, block.queriesKeysValues.weight(), block.queriesKeysValues.bias(), null, null,
                    a.qkv());
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
            ops.matmul(attended, rows, block.attentionOutput.weight(), block.attentionOutput.bias(), null, x, a.y());
            ops.layerNorm(a.y(), rows, block.feedForwardNorm.gain(), block.feedForwardNorm.bias(), epsilon, a.normed());
            ops.matmul(a.normed(), rows, block.up.weight(), block.up.bias(), config.activation(), null, a.inner());
            ops.matmul(a.inner(), rows, block.down.weight(), block.down.bias(), null, a.y(), x);
        }
        if (trace != null) {
            ops.layerNorm(x, rows, finalNorm.gain(), finalNorm.bias(), epsilon, a.normed());
            Tracing.hidden(ops, trace, blocks.size(), rows, a.normed());
            ops.gatherRows(x, batch.wanted, batch.wantedCount, states);
        }
        ops.layerNorm(states, batch.wantedCount, finalNorm.gain(), finalNorm.bias(), epsilon, states);
        ops.matmul(states, batch.wantedCount, head.weight(), head.bias(), null, null, logits);
    }

    /** What scores are multiplied with: 1 / sqrt(head size), and 1 / (block number) where the config says so. */
    private float attentionScale(int block) {
        double scale = config.scaleAttentionWeights() ? 1 / Math.sqrt(config.headSize()) : 1;
        return (float) (config.scaleAttentionByInverseLayerIndex() ? scale / (block + 1) : scale);
    }

    /** Memory and state for running the model; close it before the model. */
    public Session openSession(SessionOptions options) {
        checkOpen();
        return new Session(this, options);
    }

    Ops openOps() {
        return engine.compute().openOps(config.contextLength());
    }

    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
    }

    /** What the model computes on. */
    public Engine engine() {
        return engine;
    }

    /** What the output layer tells. */
    public Head head() {
        return headKind;
    }

    /** Numbers of a row of logits: the vocabulary size, or a classifier's labels. */
    public int outputs() {
        return head.weight().outputs();
    }

    /** Shape and options. */
    public Gpt2Config config() {
        return config;
    }

    /** How many numbers the model has learned; tied weights count once. */
    public long parameters() {
        return parameters;
    }

    /** Bytes of the weights in memory. */
    public long weightBytes() {
        return weightBytes;
    }

    /** How the token embeddings are kept in memory; in a file of one type, all matrices. */
    public WeightType weights() {
        return tokenEmbeddings.type();
    }

    /** Frees the weights. Sessions that are still open can only be closed after that. A second call does nothing. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            memory.close();
        }
    }
}
