package org.vecformer.engine.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.MatrixPacker.Order;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Activation;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;

/**
 * BERT (Devlin et al., 2018, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"): an
 * encoder whose tokens all attend to each other, in blocks with the layer norm behind attention and behind the
 * feed-forward network, and heads that read its states. Agrees with {@code BertModel} and the {@code BertFor...}
 * classes of Hugging Face transformers.
 * <p>
 * Immutable and thread-safe; what a run changes is in its {@link EncoderSession}. The weights are off-heap, or on the device
 * that computes, and freed by {@link #close}.
 */
public final class Bert extends Model {

    private final BertConfig config;
    private final WeightMatrix tokenEmbeddings;
    private final WeightMatrix positionEmbeddings;
    private final WeightMatrix typeEmbeddings;
    private final LayerNorm embeddingNorm;
    private final List<Block> blocks;
    private final Linear pooler;
    private final Linear maskedLmTransform;
    private final LayerNorm maskedLmNorm;
    /** The last layer of each head that the model has. */
    private final Map<Head, Linear> heads = new EnumMap<>(Head.class);

    /** What a BERT may have been trained to tell. Pre-training gives it the first two. */
    public enum Head {
        /** A logit for each token that may stand at a position. */
        MASKED_LM("a masked-LM head"),
        /** Two logits: the second text follows the first one, or it is another one's. */
        NEXT_SENTENCE("a next-sentence head"),
        /** A logit for each label of the whole text; one number for a regression. */
        SEQUENCE_CLASSIFIER("a sequence classifier"),
        /** A logit for each label of a token. */
        TOKEN_CLASSIFIER("a token classifier"),
        /** A logit for the answer's beginning at a token, and one for its end. */
        QUESTION_ANSWERING("a question answering head"),
        /** One logit: how well the second text goes with the first one. */
        MULTIPLE_CHOICE("a multiple choice head");

        private final String description;

        Head(String description) {
            this.description = description;
        }

        @Override
        public String toString() {
            return description;
        }
    }

    private record Block(Linear queriesKeysValues, Linear attentionOutput, LayerNorm attentionNorm, Linear up,
            Linear down, LayerNorm feedForwardNorm) {}

    private Bert(Engine engine, ModelFiles files, WeightMemory memory, BertConfig config, Weights weights)
            throws IOException {
        super(engine, files, memory);
        this.config = config;
        int hidden = config.hiddenSize();
        tokenEmbeddings = weights.matrix(embeddings("word"), Order.OUTPUTS_FIRST, hidden, config.vocabularySize());
        positionEmbeddings = weights.table(embeddings("position"), config.contextLength(), hidden);
        typeEmbeddings = weights.table(embeddings("token_type"), config.typeVocabularySize(), hidden);
        embeddingNorm = layerNorm(weights, "embeddings.LayerNorm");
        blocks = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String name = "encoder.layer." + i + ".";
            String attention = name + "attention.self.";
            blocks.add(new Block(
                    weights.sideBySide(List.of(attention + "query", attention + "key", attention + "value"), hidden,
                            hidden),
                    linear(weights, name + "attention.output.dense", hidden, hidden),
                    layerNorm(weights, name + "attention.output.LayerNorm"),
                    linear(weights, name + "intermediate.dense", hidden, config.innerSize()),
                    linear(weights, name + "output.dense", config.innerSize(), hidden),
                    layerNorm(weights, name + "output.LayerNorm")));
        }
        pooler = weights.has("pooler.dense.weight") ? linear(weights, "pooler.dense", hidden, hidden) : null;
        // What is there counts, not what the config names: encoders are published with the config of a whole model.
        if (weights.hasAny("cls.predictions.")) {
            maskedLmTransform = linear(weights, "cls.predictions.transform.dense", hidden, hidden);
            maskedLmNorm = layerNorm(weights, "cls.predictions.transform.LayerNorm");
            heads.put(Head.MASKED_LM, decoder(weights));
        } else {
            maskedLmTransform = null;
            maskedLmNorm = null;
        }
        if (weights.hasAny("cls.seq_relationship.")) {
            addHead(Head.NEXT_SENTENCE, weights, "cls.seq_relationship", 2);
        }
        if (weights.hasAny("qa_outputs.")) {
            addHead(Head.QUESTION_ANSWERING, weights, "qa_outputs", 2);
        }
        if (weights.hasAny("classifier.")) {
            // Three kinds of heads have the same name: only the config tells them apart.
            if (called("SequenceClassification")) {
                addHead(Head.SEQUENCE_CLASSIFIER, weights, "classifier", weights.rows("classifier.weight"));
            } else if (called("TokenClassification")) {
                addHead(Head.TOKEN_CLASSIFIER, weights, "classifier", weights.rows("classifier.weight"));
            } else if (called("MultipleChoice")) {
                addHead(Head.MULTIPLE_CHOICE, weights, "classifier", 1);
            }
        }
        hasTaken(weights);
    }

    /** Whether the config names a class of this kind. */
    private boolean called(String kind) {
        return config.architectures().stream().anyMatch(name -> name.contains(kind));
    }

    private void addHead(Head head, Weights weights, String name, int outputs) throws IOException {
        int labels = config.labels().size();
        boolean labelled = head == Head.SEQUENCE_CLASSIFIER || head == Head.TOKEN_CLASSIFIER;
        if (labelled && labels > 0 && labels != outputs) {
            throw new FormatException("the config's id2label has " + labels + " labels and the tensor " + name
                    + ".weight has " + outputs + " rows, expected as many");
        }
        if (pooler == null && ofSequence(head)) {
            throw new FormatException("the checkpoint has " + head + " and no tensor pooler.dense.weight, which that"
                    + " reads from");
        }
        heads.put(head, linear(weights, name, config.hiddenSize(), outputs));
    }

    /** Whether a head tells of a sequence, from its pooled state, and not of a token. */
    static boolean ofSequence(Head head) {
        return head == Head.NEXT_SENTENCE || head == Head.SEQUENCE_CLASSIFIER || head == Head.MULTIPLE_CHOICE;
    }

    /** The masked-LM head's last layer: the token embeddings again with a bias of its own, or a matrix of its own. */
    private Linear decoder(Weights weights) throws IOException {
        if (config.tieWordEmbeddings()) {
            return new Linear(tokenEmbeddings, weights.vector("cls.predictions.bias", config.vocabularySize()));
        }
        String name = "cls.predictions.decoder.";
        return new Linear(
                weights.matrix(name + "weight", Order.OUTPUTS_FIRST, config.hiddenSize(), config.vocabularySize()),
                weights.vector(weights.has(name + "bias") ? name + "bias" : "cls.predictions.bias",
                        config.vocabularySize()));
    }

    private static String embeddings(String kind) {
        return "embeddings." + kind + "_embeddings.weight";
    }

    private static Linear linear(Weights weights, String name, int inputs, int outputs) throws IOException {
        return new Linear(weights.matrix(name + ".weight", Order.OUTPUTS_FIRST, inputs, outputs),
                weights.vector(name + ".bias", outputs));
    }

    /** Checkpoints that were converted from TensorFlow long ago have that framework's names. */
    private LayerNorm layerNorm(Weights weights, String name) throws IOException {
        boolean old = weights.has(name + ".gamma");
        return new LayerNorm(weights.vector(name + (old ? ".gamma" : ".weight"), config.hiddenSize()),
                weights.vector(name + (old ? ".beta" : ".bias"), config.hiddenSize()));
    }

    /** As {@link Model#load(Path)}, of a BERT. */
    public static Bert load(Path directory) throws IOException {
        return onItsOwn(engine -> load(engine, directory));
    }

    /** As {@link Model#load(Engine, Path)}, of a BERT. */
    public static Bert load(Engine engine, Path directory) throws IOException {
        return load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    /**
     * Reads a model's config and weights.
     *
     * @throws FormatException when a file is not what it should be; the message names the file, the tensor or field,
     *                         what is there and what was expected
     * @throws IOException     when a file cannot be read
     */
    public static Bert load(Engine engine, ModelFiles files, LoadOptions options) throws IOException {
        BertConfig config = BertConfig.read(files.config());
        WeightMemory memory = engine.compute().openWeights();
        try (Checkpoint checkpoint = Checkpoint.open(files);
                Weights weights = new Weights(engine.compute(), checkpoint, memory, options, List.of("bert.", ""),
                        "embeddings.word_embeddings.weight")) {
            return new Bert(engine, files, memory, config, weights);
        } catch (Throwable e) {
            memory.close();
            throw e;
        }
    }

    /**
     * Computes a batch: norm(x + attention(x)), then norm(y + feedForward(y)), block after block. Rows of the batch are
     * independent but for attention, which looks at their sequence.
     *
     * @param a    the last hidden states are in {@code x} afterwards
     * @param stop asked before each block
     * @return false if it was stopped
     */
    boolean forward(EncoderSession session, EncoderBatch batch, EncoderSession.Activations a, Trace trace,
            BooleanSupplier stop) {
        Ops ops = session.ops;
        int rows = batch.rows();
        float scale = (float) (1 / Math.sqrt(config.headSize()));

        ops.embed(batch.ids, batch.positions, batch.types, rows, tokenEmbeddings, positionEmbeddings, typeEmbeddings,
                a.y());
        norm(ops, embeddingNorm, a.y(), rows, a.x());
        for (int i = 0; i < blocks.size(); i++) {
            if (stop.getAsBoolean()) {
                return false;
            }
            Block block = blocks.get(i);
            Tracing.hidden(ops, trace, i, rows, a.x());
            apply(ops, block.queriesKeysValues, a.x(), rows, null, null, a.qkv());
            ops.attention(a.qkv(), batch.packed, session.keysAndValues, 0, scale, a.attended(), attention(trace, i));
            apply(ops, block.attentionOutput, a.attended(), rows, null, a.x(), a.y());
            norm(ops, block.attentionNorm, a.y(), rows, a.y());
            apply(ops, block.up, a.y(), rows, config.activation(), null, a.inner());
            apply(ops, block.down, a.inner(), rows, null, a.y(), a.x());
            norm(ops, block.feedForwardNorm, a.x(), rows, a.x());
        }
        Tracing.hidden(ops, trace, blocks.size(), rows, a.x());
        return true;
    }

    /** The states of the first token go through a layer of their own (Devlin et al., 2018, section 3). */
    void pool(Ops ops, Tensor firstStates, int rows, Tensor pooled) {
        apply(ops, pooler, firstStates, rows, Activation.TANH, null, pooled);
    }

    /** The masked-LM head's layer before its last one; {@code scratch} has the shape of the states. */
    void transform(Ops ops, Tensor states, int rows, Tensor scratch) {
        apply(ops, maskedLmTransform, states, rows, config.activation(), null, scratch);
        norm(ops, maskedLmNorm, scratch, rows, scratch);
    }

    /** A head's last layer. */
    void applyHead(Ops ops, Head head, Tensor states, int rows, Tensor logits) {
        apply(ops, heads.get(head), states, rows, null, null, logits);
    }

    private static void apply(Ops ops, Linear layer, Tensor x, int rows, Activation activation, Tensor residual,
            Tensor out) {
        ops.matmul(x, rows, layer.weight(), layer.bias(), activation, residual, out);
    }

    private void norm(Ops ops, LayerNorm norm, Tensor x, int rows, Tensor out) {
        ops.layerNorm(x, rows, norm.gain(), norm.bias(), (float) config.layerNormEpsilon(), out);
    }

    /** The session's keys and values are of one layer at a time, which a trace should not notice. */
    private static AttentionTrace attention(Trace trace, int block) {
        return trace == null || !trace.wantsAttention()
                ? null
                : (_, head, row, probabilities) -> trace.attention(block, head, row, probabilities);
    }

    /** Memory and state for running the model; close it before the model. */
    public EncoderSession openSession(EncoderOptions options) {
        lifetime().check();
        return new EncoderSession(this, options);
    }

    Ops openOps() {
        return engine().compute().openOps(config.contextLength());
    }

    /** Shape and options. */
    public BertConfig config() {
        return config;
    }

    /** The heads that the model has. */
    public Set<Head> heads() {
        return Collections.unmodifiableSet(heads.keySet());
    }

    /** Whether the model has this head. */
    public boolean has(Head head) {
        return heads.containsKey(head);
    }

    /** Whether the model has a pooler, the layer behind the first token's last state. */
    public boolean hasPooler() {
        return pooler != null;
    }

    /**
     * Numbers that a head tells: the vocabulary size, the labels, 2 or 1.
     *
     * @throws IllegalStateException if the model does not have it
     */
    public int outputs(Head head) {
        require(head);
        return heads.get(head).weight().outputs();
    }

    /**
     * @throws IllegalStateException if the model does not have this head
     */
    void require(Head head) {
        if (!has(head)) {
            throw new IllegalStateException("the model has no " + head.description.substring(2) + "; it has "
                    + (heads.isEmpty()
                            ? "no head"
                            : String.join(", ", heads.keySet().stream().map(Head::toString).toList()))
                    + " (its config's architectures: " + config.architectures() + ")");
        }
    }

    @Override
    public WeightType weights() {
        return tokenEmbeddings.type();
    }
}
