package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a model's authors recommend for generation, from its {@code generation_config.json}, by Hugging Face's names.
 * Every field may be absent.
 *
 * @param doSample whether to draw tokens instead of taking the most likely one ({@code do_sample})
 * @param temperature divisor of the logits
 * @param topK how many of the most likely tokens stay; 0 keeps all ({@code top_k})
 * @param topP the probability that the tokens that stay have together ({@code top_p})
 * @param minP the smallest probability, as a share of the largest one ({@code min_p})
 * @param topH the share of the entropy that the tokens that stay have ({@code top_h})
 * @param typicalP the probability of the locally typical tokens ({@code typical_p})
 * @param epsilonCutoff the smallest probability ({@code epsilon_cutoff})
 * @param etaCutoff the smallest probability, less for a flat distribution ({@code eta_cutoff})
 * @param repetitionPenalty divisor of the logits of tokens that stood before ({@code repetition_penalty})
 * @param encoderRepetitionPenalty the same, to favour tokens of the prompt ({@code encoder_repetition_penalty})
 * @param noRepeatNgramSize n-grams of this size come once; 0 for no such rule ({@code no_repeat_ngram_size})
 * @param encoderNoRepeatNgramSize n-grams of this size of the prompt do not come again ({@code encoder_no_repeat_ngram_size})
 * @param badWordsIds sequences of tokens that must not come ({@code bad_words_ids})
 * @param sequenceBias what is added to the logit of the last token of a sequence ({@code sequence_bias})
 * @param suppressTokens tokens that must not come ({@code suppress_tokens})
 * @param beginSuppressTokens tokens that must not come first ({@code begin_suppress_tokens})
 * @param forcedBosTokenId the first token ({@code forced_bos_token_id})
 * @param forcedEosTokenIds the last token where the length ends the text ({@code forced_eos_token_id}, one or a list)
 * @param exponentialDecayLengthPenalty from so many tokens on, by what factor each makes end tokens likelier; two numbers or none
 * @param removeInvalidValues whether NaN and infinite logits are replaced ({@code remove_invalid_values})
 * @param renormalizeLogits whether logits become log-probabilities behind all other rules ({@code renormalize_logits})
 * @param numBeams how many beams; 1 for none ({@code num_beams})
 * @param numBeamGroups groups of beams ({@code num_beam_groups})
 * @param diversityPenalty for a token that another group took ({@code diversity_penalty})
 * @param lengthPenalty exponent of the length that a beam's score is divided by ({@code length_penalty})
 * @param earlyStopping when to stop looking for better beams: true, false or never ({@code early_stopping})
 * @param penaltyAlpha the weight of the penalty of contrastive search ({@code penalty_alpha})
 * @param guidanceScale of classifier-free guidance ({@code guidance_scale})
 * @param promptLookupNumTokens how many tokens are guessed from the text before ({@code prompt_lookup_num_tokens})
 * @param maxMatchingNgramSize how many of the last tokens such a guess looks for ({@code max_matching_ngram_size})
 * @param numReturnSequences how many continuations ({@code num_return_sequences})
 * @param minLength shortest text in tokens, prompt included ({@code min_length})
 * @param minNewTokens fewest tokens to add ({@code min_new_tokens})
 * @param maxLength longest text in tokens, prompt included ({@code max_length})
 * @param maxNewTokens most tokens to add ({@code max_new_tokens})
 * @param maxTime most seconds to take ({@code max_time})
 * @param stopStrings texts that end the text ({@code stop_strings}, one or a list)
 * @param bosTokenId the token that begins a text ({@code bos_token_id})
 * @param eosTokenIds the tokens that end a text ({@code eos_token_id}, one or a list); empty if there are none
 * @param padTokenId the token that fills up a batch ({@code pad_token_id})
 * @param others names of fields that ask for something that changes texts and that no field above stands for
 */
public record GenerationConfig(Optional<Boolean> doSample, Optional<Double> temperature, OptionalInt topK,
        Optional<Double> topP,
        Optional<Double> minP, Optional<Double> topH, Optional<Double> typicalP, Optional<Double> epsilonCutoff,
        Optional<Double> etaCutoff, Optional<Double> repetitionPenalty, Optional<Double> encoderRepetitionPenalty,
        OptionalInt noRepeatNgramSize, OptionalInt encoderNoRepeatNgramSize, List<List<Integer>> badWordsIds,
        Map<List<Integer>, Double> sequenceBias, List<Integer> suppressTokens, List<Integer> beginSuppressTokens,
        OptionalInt forcedBosTokenId, List<Integer> forcedEosTokenIds, List<Double> exponentialDecayLengthPenalty,
        Optional<Boolean> removeInvalidValues, Optional<Boolean> renormalizeLogits, OptionalInt numBeams,
        OptionalInt numBeamGroups, Optional<Double> diversityPenalty, Optional<Double> lengthPenalty,
        Optional<String> earlyStopping, Optional<Double> penaltyAlpha, Optional<Double> guidanceScale,
        OptionalInt promptLookupNumTokens, OptionalInt maxMatchingNgramSize, OptionalInt numReturnSequences,
        OptionalInt minLength, OptionalInt minNewTokens, OptionalInt maxLength, OptionalInt maxNewTokens,
        Optional<Double> maxTime, List<String> stopStrings, OptionalInt bosTokenId, List<Integer> eosTokenIds,
        OptionalInt padTokenId, List<String> others) {

    /** Fields of Hugging Face that change texts in ways that are not known here. */
    private static final List<String> OTHERS = List.of("constraints", "force_words_ids", "dola_layers",
            "watermarking_config", "token_healing");

    /** The config of a model that recommends nothing. */
    public static final GenerationConfig EMPTY = empty();

    /** Copies lists and map. */
    public GenerationConfig {
        badWordsIds = List.copyOf(badWordsIds);
        sequenceBias = Collections.unmodifiableMap(new LinkedHashMap<>(sequenceBias));
        suppressTokens = List.copyOf(suppressTokens);
        beginSuppressTokens = List.copyOf(beginSuppressTokens);
        forcedEosTokenIds = List.copyOf(forcedEosTokenIds);
        exponentialDecayLengthPenalty = List.copyOf(exponentialDecayLengthPenalty);
        stopStrings = List.copyOf(stopStrings);
        eosTokenIds = List.copyOf(eosTokenIds);
        others = List.copyOf(others);
    }

    /**
     * Reads a {@code generation_config.json}; {@link #EMPTY} if there is no such file.
     *
     * @throws FormatException if the file is not JSON, or a field is of the wrong type or out of range
     * @throws IOException if the file cannot be read
     */
    public static GenerationConfig read(Path generationConfigJson) throws IOException {
        return Files.exists(generationConfigJson) ? of(ConfigFields.read(generationConfigJson)) : EMPTY;
    }

    private static GenerationConfig empty() {
        try {
            return of(ConfigFields.none(Path.of("generation_config.json")));
        } catch (FormatException e) {
            throw new IllegalStateException(e);
        }
    }

    private static GenerationConfig of(ConfigFields fields) throws FormatException {
        OptionalInt pad = fields.optionalInt(Integer.MIN_VALUE, Integer.MAX_VALUE, "pad_token_id");
        Optional<String> earlyStopping = fields.textOrBool("early_stopping");
        if (earlyStopping.isPresent() && !List.of("true", "false", "never").contains(earlyStopping.get())) {
            throw fields.error("field early_stopping is \"" + FormatException.plain(earlyStopping.get())
                    + "\", expected true, false or \"never\"");
        }
        List<Double> decay = fields.numbers(0, Integer.MAX_VALUE, "exponential_decay_length_penalty");
        if (!decay.isEmpty() && (decay.size() != 2 || decay.get(0) != Math.rint(decay.get(0)) || decay.get(1) == 0)) {
            throw fields.error("field exponential_decay_length_penalty is " + decay
                    + ", expected a whole number of tokens and a factor above 0");
        }
        return new GenerationConfig(
                fields.bool("do_sample"),
                fields.number(0, Float.MAX_VALUE, "temperature"),
                fields.optionalInt(0, Integer.MAX_VALUE, "top_k"),
                fields.number(0, 1, "top_p"),
                fields.number(0, 1, "min_p"),
                fields.number(0, 1, "top_h"),
                fields.number(0, 1, "typical_p"),
                fields.number(0, 1, "epsilon_cutoff"),
                fields.number(0, 1, "eta_cutoff"),
                fields.number(Float.MIN_NORMAL, Float.MAX_VALUE, "repetition_penalty"),
                fields.number(Float.MIN_NORMAL, Float.MAX_VALUE, "encoder_repetition_penalty"),
                fields.optionalInt(0, Integer.MAX_VALUE, "no_repeat_ngram_size"),
                fields.optionalInt(0, Integer.MAX_VALUE, "encoder_no_repeat_ngram_size"),
                fields.intLists(0, Integer.MAX_VALUE, "bad_words_ids"),
                fields.weightedInts(0, Integer.MAX_VALUE, "sequence_bias"),
                fields.ints(0, Integer.MAX_VALUE, "suppress_tokens"),
                fields.ints(0, Integer.MAX_VALUE, "begin_suppress_tokens"),
                fields.optionalInt(0, Integer.MAX_VALUE, "forced_bos_token_id"),
                fields.ints(0, Integer.MAX_VALUE, "forced_eos_token_id"),
                decay,
                fields.bool("remove_invalid_values"),
                fields.bool("renormalize_logits"),
                fields.optionalInt(1, Integer.MAX_VALUE, "num_beams"),
                fields.optionalInt(1, Integer.MAX_VALUE, "num_beam_groups"),
                fields.number(0, Double.MAX_VALUE, "diversity_penalty"),
                fields.number(-Double.MAX_VALUE, Double.MAX_VALUE, "length_penalty"),
                earlyStopping,
                fields.number(0, 1, "penalty_alpha"),
                fields.number(-Double.MAX_VALUE, Double.MAX_VALUE, "guidance_scale"),
                fields.optionalInt(1, Integer.MAX_VALUE, "prompt_lookup_num_tokens"),
                fields.optionalInt(1, Integer.MAX_VALUE, "max_matching_ngram_size"),
                fields.optionalInt(1, Integer.MAX_VALUE, "num_return_sequences"),
                fields.optionalInt(0, Integer.MAX_VALUE, "min_length"),
                fields.optionalInt(0, Integer.MAX_VALUE, "min_new_tokens"),
                fields.optionalInt(0, Integer.MAX_VALUE, "max_length"),
                fields.optionalInt(0, Integer.MAX_VALUE, "max_new_tokens"),
                fields.number(0, Double.MAX_VALUE, "max_time"),
                fields.textOrTexts("stop_strings"),
                fields.optionalInt(0, Integer.MAX_VALUE, "bos_token_id"),
                fields.ints(0, Integer.MAX_VALUE, "eos_token_id"),
                pad.isPresent() && pad.getAsInt() < 0 ? OptionalInt.empty() : pad,
                others(fields));
    }

    private static List<String> others(ConfigFields fields) {
        List<String> others = new ArrayList<>();
        for (String name : OTHERS) {
            if (fields.has(name) && !fields.isFalse(name)) {
                others.add(name);
            }
        }
        return others;
    }
}
