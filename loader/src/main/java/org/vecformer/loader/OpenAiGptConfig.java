package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The shape and the options of an OpenAI GPT, the model of 2018, as its {@code config.json} has them.
 *
 * @param vocabularySize    rows of the token embedding ({@code vocab_size}, and {@code n_special} of the configs of
 *                          pytorch-pretrained-bert, which count added tokens apart)
 * @param contextLength     rows of the position embedding ({@code n_positions}, {@code n_ctx})
 * @param hiddenSize        width of the residual stream ({@code n_embd})
 * @param layers            number of blocks ({@code n_layer})
 * @param heads             attention heads of a block ({@code n_head}); divides the hidden size
 * @param activation        the function inside the feed-forward block ({@code afn}); this model's {@code gelu} is
 *                          {@link Activation#GELU_NEW}
 * @param layerNormEpsilon  added to the variance ({@code layer_norm_epsilon})
 * @param tieWordEmbeddings the output matrix is the token embedding ({@code tie_word_embeddings})
 * @param choiceActivation  what the multiple choice head does with its number ({@code summary_activation})
 * @param bosTokenId        the token that begins a text, if there is one; the published model has none
 * @param eosTokenIds       the tokens that end a text; empty if there are none
 * @param padTokenId        the token that fills up a batch, if there is one
 * @param architectures     the class names that {@code architectures} lists
 */
public record OpenAiGptConfig(int vocabularySize, int contextLength, int hiddenSize, int layers, int heads,
        Activation activation, double layerNormEpsilon, boolean tieWordEmbeddings,
        Optional<Activation> choiceActivation, OptionalInt bosTokenId, List<Integer> eosTokenIds,
        OptionalInt padTokenId, List<String> architectures) implements GptConfig {

    private static final String MODEL_TYPE = "openai-gpt";
    private static final String CLASSES = "OpenAIGPT";
    /** The only name of a field that no other model has: what tells files of 2018 and 2019, which lack model_type. */
    private static final String OWN_FIELD = "afn";

    /**
     * Checks what the engine relies on.
     *
     * @throws IllegalArgumentException if a size is not positive, or the heads do not divide the hidden size
     */
    public OpenAiGptConfig {
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(choiceActivation, "choiceActivation");
        Objects.requireNonNull(bosTokenId, "bosTokenId");
        Objects.requireNonNull(padTokenId, "padTokenId");
        eosTokenIds = List.copyOf(eosTokenIds);
        architectures = List.copyOf(architectures);
        GptFields.check(vocabularySize, contextLength, hiddenSize, layers, heads, layerNormEpsilon);
    }

    /** A model of these sizes with everything else as in the published one. */
    public static OpenAiGptConfig ofSizes(int vocabularySize, int contextLength, int hiddenSize, int layers,
            int heads) {
        return new OpenAiGptConfig(vocabularySize, contextLength, hiddenSize, layers, heads, Activation.GELU_NEW, 1e-5,
                true, Optional.empty(), OptionalInt.empty(), List.of(), OptionalInt.empty(), List.of());
    }

    /** Four times the hidden size, always. */
    @Override
    public int innerSize() {
        return 4 * hiddenSize;
    }

    /** Whether a config is of this model: by its type, else by the class it names, else by its fields. */
    static boolean describedBy(ConfigFields fields) throws FormatException {
        Optional<String> type = fields.text("model_type");
        if (type.isPresent()) {
            return type.get().equals(MODEL_TYPE);
        }
        List<String> architectures = fields.texts("architectures");
        return architectures.isEmpty()
                ? fields.has(OWN_FIELD)
                : architectures.stream().anyMatch(name -> name.startsWith(CLASSES));
    }

    /**
     * Reads a {@code config.json}. The sizes must be there; all else has the defaults of Hugging Face's
     * {@code OpenAIGPTConfig}.
     *
     * @throws FormatException if the file is not JSON, is of another kind of model, or has a field that is missing, of
     *             the wrong type, out of range or in contradiction to another one; the message names it
     * @throws IOException if the file cannot be read
     */
    public static OpenAiGptConfig read(Path configJson) throws IOException {
        ConfigFields fields = ConfigFields.read(configJson);
        if (!describedBy(fields)) {
            throw fields.error("neither field model_type nor field architectures nor a field " + OWN_FIELD
                    + " says that this is an OpenAI GPT, expected model_type \"" + MODEL_TYPE + "\"");
        }
        return of(fields);
    }

    static OpenAiGptConfig of(ConfigFields fields) throws FormatException {
        int words = fields.requiredInt(1, Integer.MAX_VALUE / 2, "vocab_size", GptFields.OLD_VOCABULARY_SIZE);
        int special = fields.optionalInt(0, GptFields.MAX_SIZE, "n_special").orElse(0);
        int vocabularySize = words + special;
        GptFields gpt = new GptFields(fields);
        Activation activation = gpt.activation(OWN_FIELD, "gelu");
        return new OpenAiGptConfig(vocabularySize, gpt.contextLength, gpt.hiddenSize, gpt.layers, gpt.heads,
                activation == Activation.GELU ? Activation.GELU_NEW : activation,
                gpt.layerNormEpsilon(), gpt.tieWordEmbeddings(), gpt.choiceActivation(),
                gpt.onlyBos(fields.ints(0, vocabularySize - 1, "bos_token_id")),
                fields.ints(0, vocabularySize - 1, "eos_token_id"), gpt.padTokenId(), gpt.architectures());
    }
}
