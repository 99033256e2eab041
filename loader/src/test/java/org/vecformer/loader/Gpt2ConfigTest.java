package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fields of config.json and generation_config.json under all their names, and what is wrong with them. */
class Gpt2ConfigTest {
    private static final String SIZES = "\"vocab_size\":1000,\"n_positions\":64,\"n_embd\":32,\"n_layer\":2,\"n_head\":4";

    @TempDir
    Path folder;

    private Path file(String json) throws IOException {
        return Files.writeString(folder.resolve("config.json"), json);
    }

    private Gpt2Config read(String json) throws IOException {
        return Gpt2Config.read(file(json.replace('\'', '"')));
    }

    @Test
    void theSizesAreEnough() throws IOException {
        Gpt2Config config = read("{" + SIZES + "}");
        assertThat(config).isEqualTo(Gpt2Config.ofSizes(1000, 64, 32, 2, 4));
        assertThat(config.innerSize()).isEqualTo(128);
        assertThat(config.headSize()).isEqualTo(8);
        assertThat(config.activation()).isEqualTo(Activation.GELU_NEW);
        assertThat(config.layerNormEpsilon()).isEqualTo(1e-5);
        assertThat(config.scaleAttentionWeights()).isTrue();
        assertThat(config.scaleAttentionByInverseLayerIndex()).isFalse();
        assertThat(config.reorderAndUpcastAttention()).isFalse();
        assertThat(config.tieWordEmbeddings()).isTrue();
        assertThat(config.bosTokenId()).isEmpty();
        assertThat(config.eosTokenIds()).isEmpty();
    }

    @Test
    void anAbsentEndTokenIsThatOfGpt2IfTheVocabularyHasIt() throws IOException {
        String sizes = SIZES.replace("1000", "50257");
        assertThat(read("{" + sizes + "}").eosTokenIds()).containsExactly(50256);
        assertThat(read("{" + sizes + "}").bosTokenId()).hasValue(50256);
        Gpt2Config none = read("{" + sizes + ",'eos_token_id':null,'bos_token_id':null}");
        assertThat(none.eosTokenIds()).isEmpty();
        assertThat(none.bosTokenId()).isEmpty();
        // Kept from the defaults by models that were trained on a vocabulary of their own.
        Gpt2Config kept = read("{" + SIZES + ",'eos_token_id':50256,'bos_token_id':50256}");
        assertThat(kept.eosTokenIds()).isEmpty();
        assertThat(kept.bosTokenId()).isEmpty();
        assertThat(read("{" + sizes + ",'eos_token_id':[3,50256]}").eosTokenIds()).containsExactly(3, 50256);
    }

    @Test
    void readsEveryFieldUnderItsOtherNames() throws IOException {
        Gpt2Config config = read("""
                {'model_type':'gpt2','vocab_size':1000,'max_position_embeddings':64,'n_ctx':64,'hidden_size':32,
                'num_hidden_layers':2,'num_attention_heads':4,'n_inner':48,'activation_function':'swish',
                'layer_norm_epsilon':1e-2,'scale_attn_weights':false,'scale_attn_by_inverse_layer_idx':true,
                'reorder_and_upcast_attn':true,'tie_word_embeddings':false,'bos_token_id':1,'eos_token_id':2,
                'pad_token_id':1000,'architectures':['GPT2Model'],'task_specific_params':{'a':[1,{}]}}""");
        assertThat(config.contextLength()).isEqualTo(64);
        assertThat(config.hiddenSize()).isEqualTo(32);
        assertThat(config.layers()).isEqualTo(2);
        assertThat(config.heads()).isEqualTo(4);
        assertThat(config.innerSize()).isEqualTo(48);
        assertThat(config.activation()).isEqualTo(Activation.SILU);
        assertThat(config.layerNormEpsilon()).isEqualTo(0.01);
        assertThat(config.scaleAttentionWeights()).isFalse();
        assertThat(config.scaleAttentionByInverseLayerIndex()).isTrue();
        assertThat(config.reorderAndUpcastAttention()).isTrue();
        assertThat(config.tieWordEmbeddings()).isFalse();
        assertThat(config.bosTokenId()).hasValue(1);
        assertThat(config.eosTokenIds()).containsExactly(2);
        assertThat(config.padTokenId()).hasValue(1000);
        assertThat(config.architectures()).containsExactly("GPT2Model");
        assertThat(read("{" + SIZES + ",'pad_token_id':-1}").padTokenId()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"gelu,GELU", "gelu_new,GELU_NEW", "gelu_pytorch_tanh,GELU_NEW", "gelu_fast,GELU_NEW",
        "quick_gelu,QUICK_GELU", "relu,RELU", "silu,SILU", "swish,SILU", "tanh,TANH"})
    void knowsTheActivations(String name, Activation expected) throws IOException {
        assertThat(read("{" + SIZES + ",'activation_function':'" + name + "'}").activation()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "'vocab_size':1000 -> 'x':1                     | field vocab_size is missing (or vocab_size_or_config_json_file), expected a whole number",
        "'n_positions':64 -> 'x':1                      | field n_positions is missing (or n_ctx, max_position_embeddings)",
        "'n_embd':32 -> 'n_embd':null                   | field n_embd is missing (or hidden_size)",
        "'n_layer':2 -> 'x':1                           | field n_layer is missing",
        "'n_head':4 -> 'x':1                            | field n_head is missing",
        "'n_head':4 -> 'n_head':5                       | field n_head is 5 and field n_embd is 32, expected n_embd to be a multiple",
        "'n_head':4 -> 'n_head':'4'                     | field n_head is the text \"4\", expected a whole number",
        "'n_head':4 -> 'n_head':0                       | field n_head is 0, expected a whole number from 1",
        "'n_head':4 -> 'n_head':-4                      | field n_head is -4",
        "'n_head':4 -> 'n_head':4.0                     | field n_head is 4.0, expected a whole number",
        "'n_head':4 -> 'n_head':true                    | field n_head is true",
        "'n_head':4 -> 'n_head':[4]                     | field n_head is an array",
        "'n_head':4 -> 'n_head':4,'n_head':4            | Duplicate",
        "'n_embd':32 -> 'n_embd':99999999999999999999   | field n_embd is 99999999999999999999",
        "'n_embd':32 -> 'n_embd':2147483647             | field n_embd is 2147483647, expected a whole number from 1 to 16777216",
        "'n_layer':2 -> 'n_layer':1000000000            | field n_layer is 1000000000",
        "'n_embd':32 -> 'n_embd':32,'hidden_size':64    | field n_embd is 32 but field hidden_size is 64",
        "'n_head':4 -> 'n_head':4,'n_ctx':65            | field n_positions is 64 but field n_ctx is 65",
        "'n_head':4 -> 'n_head':4,'n_inner':0           | field n_inner is 0",
        "'n_head':4 -> 'n_head':4,'eos_token_id':1000   | field eos_token_id is 1000, expected a whole number from 0 to 999",
        "'n_head':4 -> 'n_head':4,'eos_token_id':[1,-1] | field eos_token_id is -1",
        "'n_head':4 -> 'n_head':4,'bos_token_id':1.5    | field bos_token_id is 1.5",
        "'n_head':4 -> 'n_head':4,'activation_function':'mish' | field activation_function is \"mish\", expected one of gelu, gelu_python, gelu_new",
        "'n_head':4 -> 'n_head':4,'activation_function':1 | field activation_function is 1, expected text",
        "'n_head':4 -> 'n_head':4,'layer_norm_epsilon':0 | field layer_norm_epsilon is 0",
        "'n_head':4 -> 'n_head':4,'layer_norm_epsilon':1e999 | field layer_norm_epsilon is 1e999",
        "'n_head':4 -> 'n_head':4,'layer_norm_epsilon':'1e-5' | field layer_norm_epsilon is the text",
        "'n_head':4 -> 'n_head':4,'layer_norm_epsilon':NaN | not valid JSON",
        "'n_head':4 -> 'n_head':4,'scale_attn_weights':1 | field scale_attn_weights is 1, expected true or false",
        "'n_head':4 -> 'n_head':4,'tie_word_embeddings':'no' | field tie_word_embeddings",
        "'n_head':4 -> 'n_head':4,'model_type':'bert'   | field model_type is \"bert\", expected \"gpt2\"",
        "'n_head':4 -> 'n_head':4,'architectures':['BertModel'] | field architectures is [BertModel]",
        "'n_head':4 -> 'n_head':4,'architectures':'GPT2Model' | field architectures is the text",
        "'n_head':4 -> 'n_head':4,'afn':'gelu'          | field model_type is missing and there is a field afn",
        "'n_head':4 -> 'n_head':4,'add_cross_attention':true | field add_cross_attention is true",
    })
    void namesTheFieldThatIsWrong(String change, String part) {
        String[] fromTo = change.replace('\'', '"').split(" -> ");
        String json = "{" + SIZES.replace(fromTo[0], fromTo[1]) + "}";
        assertThat(json).contains(fromTo[1].strip());
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Gpt2Config.read(file(json)))
                .withMessageStartingWith(folder.resolve("config.json") + ": ").withMessageContaining(part);
    }

    @Test
    void theRecordItselfChecksWhatTheEngineReliesOn() {
        assertThatIllegalArgumentException().isThrownBy(() -> Gpt2Config.ofSizes(1000, 64, 32, 2, 5));
        assertThatIllegalArgumentException().isThrownBy(() -> Gpt2Config.ofSizes(0, 64, 32, 2, 4));
    }

    @Test
    void mutationsThrowNothingButIoExceptions() throws IOException {
        byte[] good = ("{" + SIZES + ",\"model_type\":\"gpt2\",\"eos_token_id\":[1,2],\"layer_norm_epsilon\":1e-5}")
                .getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("config.json");
        for (int seed = 0; seed < 2000; seed++) {
            Files.write(file, SafetensorsTest.mutate(good, new Random(seed)));
            try {
                Gpt2Config.read(file);
                GenerationConfig.read(file);
            } catch (IOException e) {
                assertThat(e).as("seed %d", seed).hasMessageStartingWith(file + ": ");
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void generationConfigIsEmptyIfAbsent() throws IOException {
        assertThat(GenerationConfig.read(folder.resolve("none.json"))).isSameAs(GenerationConfig.EMPTY);
        assertThat(GenerationConfig.read(file("{\"_from_model_config\":true,\"top_k\":null}")))
                .isEqualTo(GenerationConfig.EMPTY);
    }

    @Test
    void readsAGenerationConfig() throws IOException {
        GenerationConfig config = GenerationConfig.read(file("""
                {"do_sample":true,"temperature":0.8,"top_k":40,"top_p":0.95,"min_p":0.1,"typical_p":1.0,
                "repetition_penalty":1.1,"max_length":50,"max_new_tokens":20,"bos_token_id":0,"eos_token_id":[0,1],
                "pad_token_id":-1,"top_h":0.4,"epsilon_cutoff":0.01,"eta_cutoff":0.02,"no_repeat_ngram_size":3,
                "encoder_repetition_penalty":1.5,"encoder_no_repeat_ngram_size":2,"bad_words_ids":[[1],[2,3]],
                "sequence_bias":[[[1],-5.0],[[2,3],4]],"suppress_tokens":[7],"begin_suppress_tokens":[8,9],
                "forced_bos_token_id":5,"forced_eos_token_id":6,"exponential_decay_length_penalty":[4,1.5],
                "remove_invalid_values":true,"renormalize_logits":true,"num_beams":4,"num_beam_groups":2,
                "diversity_penalty":0.5,"length_penalty":-1.0,"early_stopping":"never","penalty_alpha":0.6,
                "guidance_scale":2.5,"prompt_lookup_num_tokens":3,"max_matching_ngram_size":4,
                "num_return_sequences":2,"min_length":8,"min_new_tokens":9,"max_time":1.5,"stop_strings":"\\n\\n",
                "token_healing":false,"dola_layers":"high"}"""));
        assertThat(config.doSample()).contains(true);
        assertThat(config.temperature()).contains(0.8);
        assertThat(config.topK()).hasValue(40);
        assertThat(config.topP()).contains(0.95);
        assertThat(config.minP()).contains(0.1);
        assertThat(config.topH()).contains(0.4);
        assertThat(config.typicalP()).contains(1.0);
        assertThat(config.epsilonCutoff()).contains(0.01);
        assertThat(config.etaCutoff()).contains(0.02);
        assertThat(config.repetitionPenalty()).contains(1.1);
        assertThat(config.encoderRepetitionPenalty()).contains(1.5);
        assertThat(config.noRepeatNgramSize()).hasValue(3);
        assertThat(config.encoderNoRepeatNgramSize()).hasValue(2);
        assertThat(config.badWordsIds()).containsExactly(List.of(1), List.of(2, 3));
        assertThat(config.sequenceBias()).containsExactly(Map.entry(List.of(1), -5.0), Map.entry(List.of(2, 3), 4.0));
        assertThat(config.suppressTokens()).containsExactly(7);
        assertThat(config.beginSuppressTokens()).containsExactly(8, 9);
        assertThat(config.forcedBosTokenId()).hasValue(5);
        assertThat(config.forcedEosTokenIds()).containsExactly(6);
        assertThat(config.exponentialDecayLengthPenalty()).containsExactly(4.0, 1.5);
        assertThat(config.removeInvalidValues()).contains(true);
        assertThat(config.renormalizeLogits()).contains(true);
        assertThat(config.numBeams()).hasValue(4);
        assertThat(config.numBeamGroups()).hasValue(2);
        assertThat(config.diversityPenalty()).contains(0.5);
        assertThat(config.lengthPenalty()).contains(-1.0);
        assertThat(config.earlyStopping()).contains("never");
        assertThat(config.penaltyAlpha()).contains(0.6);
        assertThat(config.guidanceScale()).contains(2.5);
        assertThat(config.promptLookupNumTokens()).hasValue(3);
        assertThat(config.maxMatchingNgramSize()).hasValue(4);
        assertThat(config.numReturnSequences()).hasValue(2);
        assertThat(config.minLength()).hasValue(8);
        assertThat(config.minNewTokens()).hasValue(9);
        assertThat(config.maxLength()).hasValue(50);
        assertThat(config.maxNewTokens()).hasValue(20);
        assertThat(config.maxTime()).contains(1.5);
        assertThat(config.stopStrings()).containsExactly("\n\n");
        assertThat(config.bosTokenId()).hasValue(0);
        assertThat(config.eosTokenIds()).containsExactly(0, 1);
        assertThat(config.padTokenId()).isEmpty();
        assertThat(config.others()).containsExactly("dola_layers");
        assertThat(GenerationConfig.read(file("{\"early_stopping\":true,\"stop_strings\":[\"a\",\"b\"]}")))
                .satisfies(other -> assertThat(other.earlyStopping()).contains("true"))
                .satisfies(other -> assertThat(other.stopStrings()).containsExactly("a", "b"));
        for (String wrong : List.of("\"early_stopping\":\"soon\"", "\"exponential_decay_length_penalty\":[4]",
                "\"exponential_decay_length_penalty\":[4.5,1]", "\"bad_words_ids\":[1]", "\"sequence_bias\":[[[1]]]",
                "\"sequence_bias\":[[[1],\"x\"]]", "\"stop_strings\":[1]", "\"num_beams\":0")) {
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> GenerationConfig.read(file("{" + wrong + "}")))
                    .withMessageContaining(wrong.substring(1, wrong.indexOf('"', 1)));
        }
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> GenerationConfig.read(file("{\"top_p\":1.5}")))
                .withMessageContaining("field top_p is 1.5, expected a number from 0.0 to 1.0");
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> GenerationConfig.read(file("{\"temperature\":\"hot\"}")))
                .withMessageContaining("field temperature is the text \"hot\"");
    }
}
