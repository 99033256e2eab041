package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the configs of both GPT families tell: the shape of a decoder, its special tokens, the kind of its heads. The
 * names in parentheses are those of {@code config.json}.
 */
public sealed interface GptConfig permits Gpt2Config, OpenAiGptConfig {

    /** Rows of the token embedding ({@code vocab_size}). */
    int vocabularySize();

    /** Rows of the position embedding ({@code n_positions}, {@code n_ctx}, {@code max_position_embeddings}). */
    int contextLength();

    /** Width of the residual stream ({@code n_embd}, {@code hidden_size}). */
    int hiddenSize();

    /** Number of blocks ({@code n_layer}, {@code num_hidden_layers}). */
    int layers();

    /** Attention heads of a block ({@code n_head}, {@code num_attention_heads}); divides the hidden size. */
    int heads();

    /** Width inside the feed-forward block. */
    int innerSize();

    /** The function inside the feed-forward block. */
    Activation activation();

    /** Added to the variance ({@code layer_norm_epsilon}). */
    double layerNormEpsilon();

    /** Whether the output matrix is the token embedding ({@code tie_word_embeddings}). */
    boolean tieWordEmbeddings();

    /** What the multiple choice head does with its number ({@code summary_activation}); empty for nothing. */
    Optional<Activation> choiceActivation();

    /** The token that begins a text, if there is one. */
    OptionalInt bosTokenId();

    /** The tokens that end a text; empty if there are none. */
    List<Integer> eosTokenIds();

    /** The token that fills up a batch, if there is one; it need not be in the vocabulary. */
    OptionalInt padTokenId();

    /** The class names that {@code architectures} lists, for example {@code GPT2LMHeadModel}. */
    List<String> architectures();

    /** The size of one head: hidden size divided by heads. */
    default int headSize() {
        return hiddenSize() / heads();
    }

    /**
     * Reads a {@code config.json} of either family: of OpenAI GPT if its {@code model_type} or its fields say so, else
     * of GPT-2.
     *
     * @throws FormatException as {@link Gpt2Config#read} and {@link OpenAiGptConfig#read}
     * @throws IOException if the file cannot be read
     */
    static GptConfig read(Path configJson) throws IOException {
        ConfigFields fields = ConfigFields.read(configJson);
        return OpenAiGptConfig.describedBy(fields) ? OpenAiGptConfig.of(fields) : Gpt2Config.of(fields);
    }
}
