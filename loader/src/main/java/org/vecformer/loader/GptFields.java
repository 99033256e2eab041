package org.vecformer.loader;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The fields of a {@code config.json} that both GPT families have, and the checks of them. */
final class GptFields {

    /** Bounds far beyond any model, so that products of two sizes fit a long and a few times one fits an int. */
    static final int MAX_SIZE = 1 << 24;
    /** What pytorch-transformers 1.0 to 2.2 wrote for {@code vocab_size}. */
    static final String OLD_VOCABULARY_SIZE = "vocab_size_or_config_json_file";
    private static final int MAX_LAYERS = 10_000;

    final ConfigFields fields;
    final int contextLength;
    final int hiddenSize;
    final int layers;
    final int heads;

    GptFields(ConfigFields fields) throws FormatException {
        this.fields = fields;
        contextLength = fields.requiredInt(1, MAX_SIZE, "n_positions", "n_ctx", "max_position_embeddings");
        hiddenSize = fields.requiredInt(1, MAX_SIZE, "n_embd", "hidden_size");
        layers = fields.requiredInt(1, MAX_LAYERS, "n_layer", "num_hidden_layers");
        heads = fields.requiredInt(1, MAX_SIZE, "n_head", "num_attention_heads");
        if (hiddenSize % heads != 0) {
            throw fields.error("field n_head is " + heads + " and field n_embd is " + hiddenSize
                    + ", expected n_embd to be a multiple of n_head");
        }
    }

    double layerNormEpsilon() throws FormatException {
        return fields.number(Float.MIN_NORMAL, 1, "layer_norm_epsilon").orElse(1e-5);
    }

    boolean tieWordEmbeddings() throws FormatException {
        return fields.bool("tie_word_embeddings").orElse(true);
    }

    Activation activation(String field, String fallback) throws FormatException {
        return named(field, fields.text(field).orElse(fallback));
    }

    private Activation named(String field, String name) throws FormatException {
        Optional<Activation> activation = Activation.named(name);
        if (activation.isEmpty()) {
            throw fields.error("field " + field + " is " + FormatException.quote(name) + ", expected one of "
                    + String.join(", ", Activation.knownNames()));
        }
        return activation.get();
    }

    /** Of the multiple choice head, which only a model with that head uses. */
    Optional<Activation> choiceActivation() throws FormatException {
        String type = fields.text("summary_type").orElse("cls_index");
        if (!type.equals("cls_index") && architectures().stream().anyMatch(name -> name.endsWith("DoubleHeadsModel"))) {
            throw fields.error("field summary_type is " + FormatException.quote(type)
                    + ", expected \"cls_index\": the multiple choice head reads one token");
        }
        Optional<String> name = fields.text("summary_activation");
        return name.isEmpty() || name.get().isEmpty()
                ? Optional.empty()
                : Optional.of(named("summary_activation", name.get()));
    }

    /** The one begin token of those that were found. */
    OptionalInt onlyBos(List<Integer> bos) throws FormatException {
        if (bos.size() > 1) {
            throw fields.error("field bos_token_id is " + bos + ", expected one token");
        }
        return bos.isEmpty() ? OptionalInt.empty() : OptionalInt.of(bos.getFirst());
    }

    /** Old configs write -1 for "no token", and new ones an id beyond the vocabulary: padding is never looked up. */
    OptionalInt padTokenId() throws FormatException {
        OptionalInt pad = fields.optionalInt(Integer.MIN_VALUE, Integer.MAX_VALUE, "pad_token_id");
        return pad.isPresent() && pad.getAsInt() < 0 ? OptionalInt.empty() : pad;
    }

    List<String> architectures() throws FormatException {
        return fields.texts("architectures");
    }

    /**
     * Checks what the engine relies on.
     *
     * @throws IllegalArgumentException if a size is not positive, or the heads do not divide the hidden size
     */
    static void check(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads,
            double layerNormEpsilon) {
        requirePositive("vocabularySize", vocabularySize);
        requirePositive("contextLength", contextLength);
        requirePositive("hiddenSize", hiddenSize);
        requirePositive("layers", layers);
        requirePositive("heads", heads);
        if (hiddenSize % heads != 0) {
            throw new IllegalArgumentException("hiddenSize " + hiddenSize + " is not a multiple of heads " + heads);
        }
        if (!(layerNormEpsilon > 0 && layerNormEpsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("layerNormEpsilon is " + layerNormEpsilon + ", expected more than 0");
        }
    }

    static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least 1");
        }
    }
}
