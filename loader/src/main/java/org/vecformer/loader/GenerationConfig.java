package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a model's authors recommend for generation, from its {@code generation_config.json}. Every field may be absent;
 * those not listed here are not read.
 *
 * @param doSample whether to draw tokens instead of taking the most likely one ({@code do_sample})
 * @param temperature divisor of the logits
 * @param topK how many of the most likely tokens stay; 0 keeps all ({@code top_k})
 * @param topP the probability that the tokens that stay have together ({@code top_p})
 * @param minP the smallest probability, as a share of the largest one ({@code min_p})
 * @param typicalP the probability of the locally typical tokens ({@code typical_p})
 * @param repetitionPenalty divisor of the logits of tokens that stood before ({@code repetition_penalty})
 * @param maxLength longest text in tokens, prompt included ({@code max_length})
 * @param maxNewTokens most tokens to add ({@code max_new_tokens})
 * @param bosTokenId the token that begins a text ({@code bos_token_id})
 * @param eosTokenIds the tokens that end a text ({@code eos_token_id}, one or a list); empty if there are none
 * @param padTokenId the token that fills up a batch ({@code pad_token_id})
 */
public record GenerationConfig(Optional<Boolean> doSample, Optional<Double> temperature, OptionalInt topK,
        Optional<Double> topP, Optional<Double> minP, Optional<Double> typicalP, Optional<Double> repetitionPenalty,
        OptionalInt maxLength, OptionalInt maxNewTokens, OptionalInt bosTokenId, List<Integer> eosTokenIds,
        OptionalInt padTokenId) {

    /** The config of a model that recommends nothing. */
    public static final GenerationConfig EMPTY = new GenerationConfig(Optional.empty(), Optional.empty(),
            OptionalInt.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
            OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of(), OptionalInt.empty());

    /** Copies the list. */
    public GenerationConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
    }

    /**
     * Reads a {@code generation_config.json}; {@link #EMPTY} if there is no such file.
     *
     * @throws FormatException if the file is not JSON, or a field is of the wrong type or out of range
     * @throws IOException if the file cannot be read
     */
    public static GenerationConfig read(Path generationConfigJson) throws IOException {
        if (!Files.exists(generationConfigJson)) {
            return EMPTY;
        }
        ConfigFields fields = ConfigFields.read(generationConfigJson);
        OptionalInt pad = fields.optionalInt(Integer.MIN_VALUE, Integer.MAX_VALUE, "pad_token_id");
        return new GenerationConfig(
                fields.bool("do_sample"),
                fields.number(0, Float.MAX_VALUE, "temperature"),
                fields.optionalInt(0, Integer.MAX_VALUE, "top_k"),
                fields.number(0, 1, "top_p"),
                fields.number(0, 1, "min_p"),
                fields.number(0, 1, "typical_p"),
                fields.number(Float.MIN_NORMAL, Float.MAX_VALUE, "repetition_penalty"),
                fields.optionalInt(0, Integer.MAX_VALUE, "max_length"),
                fields.optionalInt(0, Integer.MAX_VALUE, "max_new_tokens"),
                fields.optionalInt(0, Integer.MAX_VALUE, "bos_token_id"),
                fields.ints(0, Integer.MAX_VALUE, "eos_token_id"),
                pad.isPresent() && pad.getAsInt() < 0 ? OptionalInt.empty() : pad);
    }
}
