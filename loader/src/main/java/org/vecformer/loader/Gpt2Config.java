package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The shape and the options of a GPT-2 model, as its {@code config.json} has them.
 *
 * @param vocabularySize rows of the token embedding ({@code vocab_size})
 * @param contextLength rows of the position embedding ({@code n_positions}, {@code n_ctx},
 *            {@code max_position_embeddings})
 * @param hiddenSize width of the residual stream ({@code n_embd}, {@code hidden_size})
 * @param layers number of blocks ({@code n_layer}, {@code num_hidden_layers})
 * @param heads attention heads of a block ({@code n_head}, {@code num_attention_heads}); divides the hidden size
 * @param innerSize width inside the feed-forward block ({@code n_inner}; four times the hidden size if null)
 * @param activation the function inside the feed-forward block ({@code activation_function})
 * @param layerNormEpsilon added to the variance ({@code layer_norm_epsilon})
 * @param scaleAttentionWeights scores are divided by the square root of the head size ({@code scale_attn_weights})
 * @param scaleAttentionByInverseLayerIndex scores are also divided by the block's number, counted from 1
 *            ({@code scale_attn_by_inverse_layer_idx})
 * @param reorderAndUpcastAttention keys are scaled before the product, which is computed in float32
 *            ({@code reorder_and_upcast_attn})
 * @param tieWordEmbeddings the output matrix is the token embedding ({@code tie_word_embeddings})
 * @param bosTokenId the token that begins a text, if there is one
 * @param eosTokenIds the tokens that end a text; empty if there are none
 * @param padTokenId the token that fills up a batch, if there is one; it need not be in the vocabulary
 * @param architectures the class names that {@code architectures} lists, for example {@code GPT2LMHeadModel}
 */
public record Gpt2Config(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads, int innerSize,
        Activation activation, double layerNormEpsilon, boolean scaleAttentionWeights,
        boolean scaleAttentionByInverseLayerIndex, boolean reorderAndUpcastAttention, boolean tieWordEmbeddings,
        OptionalInt bosTokenId, List<Integer> eosTokenIds, OptionalInt padTokenId, List<String> architectures) {

    private static final String MODEL_TYPE = "gpt2";
    /** Bounds far beyond any model, so that products of two sizes fit a long and a few times one fits an int. */
    private static final int MAX_SIZE = 1 << 24;
    private static final int MAX_LAYERS = 10_000;
    /** Fields of BERT, of the first GPT and of others that share GPT-2's names for sizes. */
    private static final List<String> FOREIGN_FIELDS = List.of("afn", "hidden_act", "intermediate_size",
            "type_vocab_size");
    /** The id of {@code <|endoftext|>} in GPT-2's own vocabulary: the default of both ends. */
    private static final int END_OF_TEXT = 50256;

    /**
     * Checks what the engine relies on.
     *
     * @throws IllegalArgumentException if a size is not positive, or the heads do not divide the hidden size
     */
    public Gpt2Config {
        requirePositive("vocabularySize", vocabularySize);
        requirePositive("contextLength", contextLength);
        requirePositive("hiddenSize", hiddenSize);
        requirePositive("layers", layers);
        requirePositive("heads", heads);
        requirePositive("innerSize", innerSize);
        if (hiddenSize % heads != 0) {
            throw new IllegalArgumentException("hiddenSize " + hiddenSize + " is not a multiple of heads " + heads);
        }
        if (!(layerNormEpsilon > 0 && layerNormEpsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("layerNormEpsilon is " + layerNormEpsilon + ", expected more than 0");
        }
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(bosTokenId, "bosTokenId");
        Objects.requireNonNull(padTokenId, "padTokenId");
        eosTokenIds = List.copyOf(eosTokenIds);
        architectures = List.copyOf(architectures);
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least 1");
        }
    }

    /** A model of these sizes with everything else as in the published GPT-2 models. */
    public static Gpt2Config ofSizes(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads) {
        OptionalInt endOfText = defaultToken(vocabularySize);
        return new Gpt2Config(vocabularySize, contextLength, hiddenSize, layers, heads, 4 * hiddenSize,
                Activation.GELU_NEW, 1e-5, true, false, false, true, endOfText, asList(endOfText), OptionalInt.empty(),
                List.of());
    }

    /** The size of one head: hidden size divided by heads. */
    public int headSize() {
        return hiddenSize / heads;
    }

    /**
     * Reads a {@code config.json}. The sizes must be there; all else has the defaults of Hugging Face's
     * {@code GPT2Config}, except that the default token, absent or written out, is no token where the vocabulary is too
     * small for it (configs of models with a vocabulary of their own often keep it).
     *
     * @throws FormatException if the file is not JSON, is of another kind of model, or has a field that is missing, of
     *             the wrong type, out of range or in contradiction to another one; the message names it
     * @throws IOException if the file cannot be read
     */
    public static Gpt2Config read(Path configJson) throws IOException {
        ConfigFields fields = ConfigFields.read(configJson);
        List<String> architectures = fields.texts("architectures");
        requireGpt2(fields, architectures);
        int vocabularySize = fields.requiredInt(1, Integer.MAX_VALUE, "vocab_size");
        int contextLength = fields.requiredInt(1, MAX_SIZE, "n_positions", "n_ctx", "max_position_embeddings");
        int hiddenSize = fields.requiredInt(1, MAX_SIZE, "n_embd", "hidden_size");
        int layers = fields.requiredInt(1, MAX_LAYERS, "n_layer", "num_hidden_layers");
        int heads = fields.requiredInt(1, MAX_SIZE, "n_head", "num_attention_heads");
        if (hiddenSize % heads != 0) {
            throw fields.error("field n_head is " + heads + " and field n_embd is " + hiddenSize
                    + ", expected n_embd to be a multiple of n_head");
        }
        int innerSize = fields.optionalInt(1, 4 * MAX_SIZE, "n_inner").orElse(4 * hiddenSize);
        List<Integer> bos = tokens(fields, "bos_token_id", vocabularySize);
        if (bos.size() > 1) {
            throw fields.error("field bos_token_id is " + bos + ", expected one token");
        }
        List<Integer> eos = tokens(fields, "eos_token_id", vocabularySize);
        // Old configs write -1 for "no token", and new ones an id beyond the vocabulary: padding is never looked up.
        OptionalInt pad = fields.optionalInt(Integer.MIN_VALUE, Integer.MAX_VALUE, "pad_token_id");
        return new Gpt2Config(vocabularySize, contextLength, hiddenSize, layers, heads, innerSize,
                activation(fields),
                fields.number(Float.MIN_NORMAL, 1, "layer_norm_epsilon").orElse(1e-5),
                fields.bool("scale_attn_weights").orElse(true),
                fields.bool("scale_attn_by_inverse_layer_idx").orElse(false),
                fields.bool("reorder_and_upcast_attn").orElse(false),
                fields.bool("tie_word_embeddings").orElse(true),
                bos.isEmpty() ? OptionalInt.empty() : OptionalInt.of(bos.getFirst()), eos,
                pad.isPresent() && pad.getAsInt() < 0 ? OptionalInt.empty() : pad, architectures);
    }

    private static void requireGpt2(ConfigFields fields, List<String> architectures) throws FormatException {
        String type = fields.text("model_type").orElse(null);
        if (type != null && !type.equals(MODEL_TYPE)) {
            throw fields.error("field model_type is " + FormatException.quote(type) + ", expected \"" + MODEL_TYPE
                    + "\": this is not a GPT-2 model");
        }
        if (type == null) {
            requireGpt2Fields(fields, architectures);
        }
        if (fields.bool("add_cross_attention").orElse(false)) {
            throw fields.error("field add_cross_attention is true, expected false:"
                    + " a GPT-2 that attends to an encoder is not supported");
        }
    }

    /** Very old configs do not say what they are: the class they name, or else their fields, must be GPT-2's. */
    private static void requireGpt2Fields(ConfigFields fields, List<String> architectures) throws FormatException {
        if (!architectures.isEmpty()) {
            if (architectures.stream().noneMatch(name -> name.startsWith("GPT2"))) {
                throw fields.error("field model_type is missing and field architectures is "
                        + FormatException.plain(architectures.toString())
                        + ", expected a class whose name begins with GPT2");
            }
            return;
        }
        for (String foreign : FOREIGN_FIELDS) {
            if (fields.has(foreign)) {
                throw fields.error("field model_type is missing and there is a field " + foreign
                        + ", which GPT-2 does not have; expected model_type \"" + MODEL_TYPE + "\"");
            }
        }
    }

    private static Activation activation(ConfigFields fields) throws FormatException {
        String name = fields.text("activation_function").orElse("gelu_new");
        Optional<Activation> activation = Activation.named(name);
        if (activation.isEmpty()) {
            throw fields.error("field activation_function is " + FormatException.quote(name) + ", expected one of "
                    + String.join(", ", Activation.knownNames()));
        }
        return activation.get();
    }

    /** Token ids, of which the default may stand although the vocabulary has no such token. Null means none. */
    private static List<Integer> tokens(ConfigFields fields, String name, int vocabularySize) throws FormatException {
        if (fields.isNull(name)) {
            return List.of();
        }
        boolean isDefault = !fields.has(name) || fields.isInt(name, END_OF_TEXT);
        return isDefault ? asList(defaultToken(vocabularySize)) : fields.ints(0, vocabularySize - 1, name);
    }

    private static OptionalInt defaultToken(int vocabularySize) {
        return END_OF_TEXT < vocabularySize ? OptionalInt.of(END_OF_TEXT) : OptionalInt.empty();
    }

    private static List<Integer> asList(OptionalInt value) {
        return value.isPresent() ? List.of(value.getAsInt()) : List.of();
    }
}
