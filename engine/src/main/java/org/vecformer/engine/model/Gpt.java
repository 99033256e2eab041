package org.vecformer.engine.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.MatrixPacker.Order;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Activation;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.GptConfig;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.OpenAiGptConfig;

/**
 * A decoder of either GPT family: token and position embeddings, blocks of masked attention and a feed-forward network,
 * and an output layer that is tied to the token embeddings. The families have the same parts under the same names; where
 * their layer norms stand is what {@link Gpt2} and {@link OpenAiGpt} tell.
 * <p>
 * Immutable and thread-safe; what a run changes is in its {@link Session}. The weights are off-heap, or on the device
 * that computes, and freed by {@link #close}.
 */
public abstract sealed class Gpt extends Model permits Gpt2, OpenAiGpt {

    /** What the output layer tells of a position. */
    public enum Head {
        /** A logit for each token that may come next. */
        LANGUAGE_MODEL("LMHeadModel"),
        /**
         * The same, and beside it the multiple choice head: one logit, read at a text's last token, for how well this
         * text goes on compared with others.
         */
        DOUBLE_HEADS("DoubleHeadsModel"),
        /** A logit for each label, read at the text's last token. */
        SEQUENCE_CLASSIFIER("ForSequenceClassification"),
        /** A logit for each label. */
        TOKEN_CLASSIFIER("ForTokenClassification"),
        /** A logit for the answer's beginning here, and one for its end. */
        QUESTION_ANSWERING("ForQuestionAnswering");

        private final String className;

        Head(String className) {
            this.className = className;
        }
    }

    record Block(LayerNorm attentionNorm, Linear queriesKeysValues, Linear attentionOutput, LayerNorm feedForwardNorm,
            Linear up, Linear down) {}

    /** Names that a choice head has had: in transformers, in pytorch-pretrained-bert, and before that. */
    private static final List<String> CHOICE_HEADS = List.of("multiple_choice_head.summary",
            "multiple_choice_head.linear", "multiple_choice_head.classifier");

    private static final String OUTPUT = "lm_head.weight";

    private final GptConfig config;
    private final WeightMatrix tokenEmbeddings;
    private final WeightMatrix positionEmbeddings;
    final List<Block> blocks;
    /** Null if there is none. */
    final LayerNorm finalNorm;
    private final Head headKind;
    private final Linear head;
    private final Linear choiceHead;

    /**
     * @param tokens    the name of the token embeddings
     * @param positions the name of the position embeddings
     * @param finalNorm the name of the layer norm behind the last block; null for none
     */
    Gpt(Engine engine, ModelFiles files, WeightMemory memory, GptConfig config, Weights weights, String tokens,
            String positions, String finalNorm) throws IOException {
        super(engine, files, memory);
        this.config = config;
        int hidden = config.hiddenSize();
        // Of two tied matrices a file has one, and transformers chose the output layer for OpenAIGPTDoubleHeadsModel.
        boolean underOutputName = config.tieWordEmbeddings() && !weights.has(tokens) && weights.has(OUTPUT);
        tokenEmbeddings = weights.matrix(underOutputName ? OUTPUT : tokens, Order.OUTPUTS_FIRST, hidden,
                config.vocabularySize());
        positionEmbeddings = weights.table(positions, config.contextLength(), hidden);
        blocks = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String name = "h." + i + ".";
            blocks.add(new Block(
                    layerNorm(weights, name + "ln_1", hidden),
                    linear(weights, name + "attn.c_attn", hidden, 3 * hidden),
                    linear(weights, name + "attn.c_proj", hidden, hidden),
                    layerNorm(weights, name + "ln_2", hidden),
                    linear(weights, name + "mlp.c_fc", hidden, config.innerSize()),
                    linear(weights, name + "mlp.c_proj", config.innerSize(), hidden)));
        }
        this.finalNorm = finalNorm == null ? null : layerNorm(weights, finalNorm, hidden);
        headKind = headKind(weights);
        head = switch (headKind) {
            case LANGUAGE_MODEL, DOUBLE_HEADS -> new Linear(config.tieWordEmbeddings()
                    ? tokenEmbeddings
                    : weights.matrix(OUTPUT, Order.OUTPUTS_FIRST, hidden, config.vocabularySize()), null);
            case SEQUENCE_CLASSIFIER -> classifier(weights, "score.weight", null);
            case TOKEN_CLASSIFIER -> classifier(weights, "classifier.weight", "classifier.bias");
            case QUESTION_ANSWERING -> classifier(weights, "qa_outputs.weight", "qa_outputs.bias");
        };
        choiceHead = headKind == Head.DOUBLE_HEADS ? choiceHead(weights) : null;
        hasTaken(weights);
    }

    /** What is there counts for the choice head, which plain language models are published without. */
    private Head headKind(Weights weights) {
        for (Head kind : Head.values()) {
            if (config.architectures().stream().anyMatch(name -> name.endsWith(kind.className))
                    && kind != Head.LANGUAGE_MODEL && kind != Head.DOUBLE_HEADS) {
                return kind;
            }
        }
        return weights.hasAny("multiple_choice_head.") ? Head.DOUBLE_HEADS : Head.LANGUAGE_MODEL;
    }

    private Linear choiceHead(Weights weights) throws IOException {
        String name = CHOICE_HEADS.stream().filter(old -> weights.has(old + ".weight")).findFirst()
                .orElse(CHOICE_HEADS.getFirst());
        return new Linear(weights.matrix(name + ".weight", Order.OUTPUTS_FIRST, config.hiddenSize(), 1),
                weights.vector(name + ".bias", 1));
    }

    private Linear classifier(Weights weights, String weight, String bias) throws IOException {
        int labels = weights.rows(weight);
        return new Linear(weights.matrix(weight, Order.OUTPUTS_FIRST, config.hiddenSize(), labels),
                bias == null ? null : weights.vector(bias, labels));
    }

    private static Linear linear(Weights weights, String name, int inputs, int outputs) throws IOException {
        // The GPTs' Conv1D keeps inputs as rows. OpenAI's own names end in .w, .b and .g.
        boolean old = weights.has(name + ".w");
        return new Linear(weights.matrix(name + (old ? ".w" : ".weight"), Order.INPUTS_FIRST, inputs, outputs),
                weights.vector(name + (old ? ".b" : ".bias"), outputs));
    }

    private static LayerNorm layerNorm(Weights weights, String name, int hidden) throws IOException {
        boolean old = weights.has(name + ".g");
        return new LayerNorm(weights.vector(name + (old ? ".g" : ".weight"), hidden),
                weights.vector(name + (old ? ".b" : ".bias"), hidden));
    }

    /** As {@link Model#load(Path)}, of a GPT. */
    public static Gpt load(Path directory) throws IOException {
        return onItsOwn(engine -> load(engine, directory));
    }

    /** As {@link Model#load(Engine, Path)}, of a GPT. */
    public static Gpt load(Engine engine, Path directory) throws IOException {
        return load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    /**
     * Reads a model's config and weights: a {@link Gpt2} or an {@link OpenAiGpt}, as the config says.
     *
     * @throws FormatException when a file is not what it should be; the message names the file, the tensor or field,
     *                         what is there and what was expected
     * @throws IOException     when a file cannot be read
     */
    public static Gpt load(Engine engine, ModelFiles files, LoadOptions options) throws IOException {
        GptConfig config = GptConfig.read(files.config());
        WeightMemory memory = engine.compute().openWeights();
        try (Checkpoint checkpoint = Checkpoint.open(files);
                Weights weights = new Weights(engine.compute(), checkpoint, memory, options,
                        List.of("transformer.", ""), switch (config) {
                            case Gpt2Config _ -> Gpt2.POSITIONS;
                            case OpenAiGptConfig _ -> OpenAiGpt.POSITIONS;
                        })) {
            return switch (config) {
                case Gpt2Config gpt2 -> new Gpt2(engine, files, memory, gpt2, weights);
                case OpenAiGptConfig openAi -> new OpenAiGpt(engine, files, memory, openAi, weights);
            };
        } catch (Throwable e) {
            memory.close();
            throw e;
        }
    }

    /**
     * Computes a step, block after block. Rows of the batch are independent but for attention, which looks at the cache.
     *
     * @param stop   asked before each block
     * @param states receives the final hidden states of the rows whose logits are wanted
     * @return false if it was stopped
     */
    abstract boolean forward(Session session, Batch batch, Trace trace, BooleanSupplier stop, Tensor states);

    /** Token, position and, where there are types, once more token embeddings, summed. */
    final void embed(Ops ops, Batch batch, Tensor x) {
        ops.embed(batch.ids, batch.positions, batch.types, batch.rows(), tokenEmbeddings, positionEmbeddings,
                tokenEmbeddings, x);
    }

    final void norm(Ops ops, LayerNorm norm, Tensor x, int rows, Tensor out) {
        ops.layerNorm(x, rows, norm.gain(), norm.bias(), (float) config.layerNormEpsilon(), out);
    }

    static void apply(Ops ops, Linear layer, Tensor x, int rows, Activation activation, Tensor residual, Tensor out) {
        ops.matmul(x, rows, layer.weight(), layer.bias(), activation, residual, out);
    }

    /** The output layer. */
    final void logits(Ops ops, Tensor states, int rows, Tensor logits) {
        apply(ops, head, states, rows, null, null, logits);
    }

    /** The multiple choice head, a number for each row. */
    final void choices(Ops ops, Tensor states, int rows, Tensor choices) {
        apply(ops, choiceHead, states, rows, config.choiceActivation().orElse(null), null, choices);
    }

    /** Memory and state for running the model; close it before the model. */
    public Session openSession(SessionOptions options) {
        lifetime().check();
        return new Session(this, options);
    }

    Ops openOps() {
        return engine().compute().openOps(config.contextLength());
    }

    /** What the output layer tells. */
    public Head head() {
        return headKind;
    }

    /** Whether the output layer tells what token may come next. */
    public boolean isLanguageModel() {
        return headKind == Head.LANGUAGE_MODEL || headKind == Head.DOUBLE_HEADS;
    }

    /** Whether there is a multiple choice head, for {@link Session#choice}. */
    public boolean hasChoiceHead() {
        return choiceHead != null;
    }

    /** Numbers of a row of logits: the vocabulary size, or a classifier's labels. */
    public int outputs() {
        return head.weight().outputs();
    }

    /** Shape and options. */
    public GptConfig config() {
        return config;
    }

    @Override
    public WeightType weights() {
        return tokenEmbeddings.type();
    }
}
