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
 * @param choiceActivation what the multiple choice head does with its number ({@code summary_activation})
 * @param bosTokenId the token that begins a text, if there is one
 * @param eosTokenIds the tokens that end a text; empty if there are none
 * @param padTokenId the token that fills up a batch, if there is one; it need not be in the vocabulary
 * @param architectures the class names that {@code architectures} lists, for example {@code GPT2LMHeadModel}
 */
public record Gpt2Config(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads, int innerSize,
        Activation activation, double layerNormEpsilon, boolean scaleAttentionWeights,
        boolean scaleAttentionByInverseLayerIndex, boolean reorderAndUpcastAttention, boolean tieWordEmbeddings,
        Optional<Activation> choiceActivation, OptionalInt bosTokenId, List<Integer> eosTokenIds,
        OptionalInt padTokenId, List<String> architectures) implements GptConfig {

    private static final String MODEL_TYPE = "gpt2";
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
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(choiceActivation, "choiceActivation");
        Objects.requireNonNull(bosTokenId, "bosTokenId");
        Objects.requireNonNull(padTokenId, "padTokenId");
        eosTokenIds = List.copyOf(eosTokenIds);
        architectures = List.copyOf(architectures);
        GptFields.check(vocabularySize, contextLength, hiddenSize, layers, heads, layerNormEpsilon);
        GptFields.requirePositive("innerSize", innerSize);
    }

    /** A model of these sizes with everything else as in the published GPT-2 models. */
    public static Gpt2Config ofSizes(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads) {
        OptionalInt endOfText = defaultToken(vocabularySize);
        return new Gpt2Config(vocabularySize, contextLength, hiddenSize, layers, heads, 4 * hiddenSize,
                Activation.GELU_NEW, 1e-5, true, false, false, true, Optional.empty(), endOfText, asList(endOfText),
                OptionalInt.empty(),
                List.of());
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
        return of(ConfigFields.read(configJson));
    }

    static Gpt2Config of(ConfigFields fields) throws FormatException {
        requireGpt2(fields, fields.texts("architectures"));
        int vocabularySize = fields.requiredInt(1, Integer.MAX_VALUE, "vocab_size", GptFields.OLD_VOCABULARY_SIZE);
        GptFields gpt = new GptFields(fields);
        return new Gpt2Config(vocabularySize, gpt.contextLength, gpt.hiddenSize, gpt.layers, gpt.heads,
                fields.optionalInt(1, 4 * GptFields.MAX_SIZE, "n_inner").orElse(4 * gpt.hiddenSize),
                gpt.activation("activation_function", "gelu_new"), gpt.layerNormEpsilon(),
                fields.bool("scale_attn_weights").orElse(true),
                fields.bool("scale_attn_by_inverse_layer_idx").orElse(false),
                fields.bool("reorder_and_upcast_attn").orElse(false), gpt.tieWordEmbeddings(),
                gpt.choiceActivation(), gpt.onlyBos(tokens(fields, "bos_token_id", vocabularySize)),
                tokens(fields, "eos_token_id", vocabularySize), gpt.padTokenId(), gpt.architectures());
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
