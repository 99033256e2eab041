package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The shape and the options of a BERT model, as {@code config.json} tells them. Immutable.
 *
 * @param vocabularySize number of tokens ({@code vocab_size})
 * @param contextLength most tokens of a sequence ({@code max_position_embeddings})
 * @param hiddenSize width of a token's state ({@code hidden_size})
 * @param layers number of blocks ({@code num_hidden_layers})
 * @param heads attention heads of a block ({@code num_attention_heads}); divides the hidden size
 * @param innerSize width inside the feed-forward block ({@code intermediate_size})
 * @param typeVocabularySize number of token types ({@code type_vocab_size})
 * @param activation the function inside the feed-forward block and before the masked-LM head ({@code hidden_act})
 * @param layerNormEpsilon added to the variance ({@code layer_norm_eps})
 * @param decoder a token sees itself and those before it only ({@code is_decoder})
 * @param tieWordEmbeddings the masked-LM head's matrix is the token embedding ({@code tie_word_embeddings})
 * @param padTokenId the token that fills up a batch, if there is one
 * @param architectures the class names that {@code architectures} lists, for example {@code BertForMaskedLM}
 * @param labels the names of a classifier's outputs in their order ({@code id2label}); empty if the config has none
 * @param problemType what a sequence classifier was trained for ({@code problem_type}), if the config tells
 * @param crossEncoderActivation the class name of the function that sentence-transformers puts behind a cross-encoder's
 *            scores, if the config tells ({@code sentence_transformers.activation_fn}, or the older
 *            {@code sbert_ce_default_activation_function})
 */
public record BertConfig(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads, int innerSize,
        int typeVocabularySize, Activation activation, double layerNormEpsilon, boolean decoder,
        boolean tieWordEmbeddings, OptionalInt padTokenId, List<String> architectures, List<String> labels,
        Optional<ProblemType> problemType, Optional<String> crossEncoderActivation) {

    private static final String MODEL_TYPE = "bert";
    private static final int MAX_SIZE = 1 << 24;
    private static final int MAX_LAYERS = 10_000;
    /** Fields of GPT-2 and the first GPT. */
    private static final List<String> FOREIGN_FIELDS = List.of("n_embd", "n_layer", "n_head", "afn");

    /** What a sequence classifier's outputs mean. */
    public enum ProblemType {
        /** One of the labels: softmax. */
        SINGLE_LABEL("single_label_classification"),
        /** Any number of the labels: a sigmoid each. */
        MULTI_LABEL("multi_label_classification"),
        /** A number: nothing behind it. */
        REGRESSION("regression");

        private final String field;

        ProblemType(String field) {
            this.field = field;
        }
    }

    /**
     * Checks what the engine relies on.
     *
     * @throws IllegalArgumentException if a size is not positive, or the heads do not divide the hidden size
     */
    public BertConfig {
        requirePositive("vocabularySize", vocabularySize);
        requirePositive("contextLength", contextLength);
        requirePositive("hiddenSize", hiddenSize);
        requirePositive("layers", layers);
        requirePositive("heads", heads);
        requirePositive("innerSize", innerSize);
        requirePositive("typeVocabularySize", typeVocabularySize);
        if (hiddenSize % heads != 0) {
            throw new IllegalArgumentException("hiddenSize " + hiddenSize + " is not a multiple of heads " + heads);
        }
        if (!(layerNormEpsilon > 0 && layerNormEpsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("layerNormEpsilon is " + layerNormEpsilon + ", expected more than 0");
        }
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(padTokenId, "padTokenId");
        Objects.requireNonNull(problemType, "problemType");
        Objects.requireNonNull(crossEncoderActivation, "crossEncoderActivation");
        architectures = List.copyOf(architectures);
        labels = List.copyOf(labels);
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least 1");
        }
    }

    /** A model of these sizes with everything else as in Google's published models. */
    public static BertConfig ofSizes(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads) {
        return new BertConfig(vocabularySize, contextLength, hiddenSize, layers, heads, 4 * hiddenSize, 2,
                Activation.GELU, 1e-12, false, true, OptionalInt.of(0), List.of(), List.of(), Optional.empty(),
                Optional.empty());
    }

    /** The size of one head: hidden size divided by heads. */
    public int headSize() {
        return hiddenSize / heads;
    }

    /** Whether a config says that it is a BERT's, by its {@code model_type}, or else by its class or its fields. */
    public static boolean isBert(Path configJson) throws IOException {
        ConfigFields fields = ConfigFields.read(configJson);
        Optional<String> type = fields.text("model_type");
        if (type.isPresent()) {
            return type.get().equals(MODEL_TYPE);
        }
        List<String> architectures = fields.texts("architectures");
        return architectures.isEmpty()
                ? fields.has("type_vocab_size") && foreign(fields).isEmpty()
                : architectures.stream().anyMatch(name -> name.startsWith("Bert"));
    }

    /**
     * Reads a {@code config.json}. The sizes must be there; all else has the defaults of Hugging Face's
     * {@code BertConfig}.
     *
     * @throws FormatException if the file is not JSON, is of another kind of model, or has a field that is missing, of
     *             the wrong type, out of range or in contradiction to another one; the message names it
     * @throws IOException if the file cannot be read
     */
    public static BertConfig read(Path configJson) throws IOException {
        ConfigFields fields = ConfigFields.read(configJson);
        List<String> architectures = fields.texts("architectures");
        requireBert(fields, architectures);
        int vocabularySize = fields.requiredInt(1, Integer.MAX_VALUE, "vocab_size");
        int contextLength = fields.requiredInt(1, MAX_SIZE, "max_position_embeddings");
        int hiddenSize = fields.requiredInt(1, MAX_SIZE, "hidden_size");
        int layers = fields.requiredInt(1, MAX_LAYERS, "num_hidden_layers");
        int heads = fields.requiredInt(1, MAX_SIZE, "num_attention_heads");
        if (hiddenSize % heads != 0) {
            throw fields.error("field num_attention_heads is " + heads + " and field hidden_size is " + hiddenSize
                    + ", expected hidden_size to be a multiple of num_attention_heads");
        }
        int innerSize = fields.requiredInt(1, 4 * MAX_SIZE, "intermediate_size");
        OptionalInt pad = fields.optionalInt(Integer.MIN_VALUE, Integer.MAX_VALUE, "pad_token_id");
        return new BertConfig(vocabularySize, contextLength, hiddenSize, layers, heads, innerSize,
                fields.optionalInt(1, MAX_SIZE, "type_vocab_size").orElse(2),
                activation(fields),
                fields.number(Float.MIN_NORMAL, 1, "layer_norm_eps").orElse(1e-12),
                fields.bool("is_decoder").orElse(false),
                fields.bool("tie_word_embeddings").orElse(true),
                pad.isPresent() && pad.getAsInt() < 0 ? OptionalInt.empty() : pad,
                architectures, fields.labels("id2label"), problemType(fields), crossEncoderActivation(fields));
    }

    private static void requireBert(ConfigFields fields, List<String> architectures) throws FormatException {
        Optional<String> type = fields.text("model_type");
        if (type.isPresent() && !type.get().equals(MODEL_TYPE)) {
            throw fields.error("field model_type is " + FormatException.quote(type.get()) + ", expected \"" + MODEL_TYPE
                    + "\": this is not a BERT model");
        }
        if (type.isEmpty()) {
            if (!architectures.isEmpty() && architectures.stream().noneMatch(name -> name.startsWith("Bert"))) {
                throw fields.error("field model_type is missing and field architectures is "
                        + FormatException.plain(architectures.toString())
                        + ", expected a class whose name begins with Bert");
            }
            Optional<String> foreign = foreign(fields);
            if (architectures.isEmpty() && foreign.isPresent()) {
                throw fields.error("field model_type is missing and there is a field " + foreign.get()
                        + ", which BERT does not have; expected model_type \"" + MODEL_TYPE + "\"");
            }
        }
        if (fields.bool("add_cross_attention").orElse(false)) {
            throw fields.error("field add_cross_attention is true, expected false:"
                    + " a BERT that attends to another encoder is not supported");
        }
        String positions = fields.text("position_embedding_type").orElse("absolute");
        if (!positions.equals("absolute")) {
            throw fields.error("field position_embedding_type is " + FormatException.quote(positions)
                    + ", expected \"absolute\"");
        }
    }

    private static Optional<String> foreign(ConfigFields fields) {
        for (String name : FOREIGN_FIELDS) {
            if (fields.has(name)) {
                return Optional.of(name);
            }
        }
        return Optional.empty();
    }

    private static Activation activation(ConfigFields fields) throws FormatException {
        String name = fields.text("hidden_act").orElse("gelu");
        Optional<Activation> activation = Activation.named(name);
        if (activation.isEmpty()) {
            throw fields.error("field hidden_act is " + FormatException.quote(name) + ", expected one of "
                    + String.join(", ", Activation.knownNames()));
        }
        return activation.get();
    }

    private static Optional<ProblemType> problemType(ConfigFields fields) throws FormatException {
        Optional<String> name = fields.text("problem_type");
        if (name.isEmpty()) {
            return Optional.empty();
        }
        for (ProblemType type : ProblemType.values()) {
            if (type.field.equals(name.get())) {
                return Optional.of(type);
            }
        }
        throw fields.error("field problem_type is " + FormatException.quote(name.get())
                + ", expected single_label_classification, multi_label_classification or regression");
    }

    private static Optional<String> crossEncoderActivation(ConfigFields fields) throws FormatException {
        Optional<String> nested = fields.object("sentence_transformers").isPresent()
                ? fields.object("sentence_transformers").get().text("activation_fn")
                : Optional.empty();
        return nested.isPresent() ? nested : fields.text("sbert_ce_default_activation_function");
    }
}
