package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** config.json of OpenAI GPTs of all ages, and how they are told from GPT-2's. */
class OpenAiGptConfigTest {

    private static final String SIZES = "'vocab_size':1000,'n_positions':64,'n_embd':32,'n_layer':2,'n_head':4";

    @TempDir
    private Path folder;

    private GptConfig read(String json) throws IOException {
        return GptConfig.read(file(json));
    }

    private Path file(String json) throws IOException {
        return Files.writeString(folder.resolve("config.json"), json.replace('\'', '"'));
    }

    @Test
    void theSizesAreEnough() throws IOException {
        GptConfig config = read("{'model_type':'openai-gpt'," + SIZES + "}");
        assertThat(config).isEqualTo(OpenAiGptConfig.ofSizes(1000, 64, 32, 2, 4));
        assertThat(config.innerSize()).isEqualTo(128);
        assertThat(config.headSize()).isEqualTo(8);
        assertThat(config.activation()).isEqualTo(Activation.GELU_NEW);
        assertThat(config.tieWordEmbeddings()).isTrue();
        assertThat(config.choiceActivation()).isEmpty();
        assertThat(config.bosTokenId()).isEmpty();
        assertThat(config.eosTokenIds()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "`'model_type':'openai-gpt'`, true", "`'architectures':['OpenAIGPTDoubleHeadsModel']`, true",
        "`'afn':'gelu'`, true", "`'model_type':'gpt2'`, false", "`'architectures':['GPT2LMHeadModel']`, false",
        "`'activation_function':'gelu_new'`, false"})
    void theFamilyIsTold(String field, boolean openAi) throws IOException {
        assertThat(read("{" + field + "," + SIZES + "}") instanceof OpenAiGptConfig).isEqualTo(openAi);
    }

    @ParameterizedTest
    @CsvSource({"gelu, GELU_NEW", "gelu_new, GELU_NEW", "relu, RELU", "swish, SILU", "silu, SILU"})
    void itsGeluIsTheTanhForm(String afn, Activation expected) throws IOException {
        assertThat(read("{'afn':'" + afn + "'," + SIZES + "}").activation()).isEqualTo(expected);
    }

    @Test
    void oldNames() throws IOException {
        String old = SIZES.replace("vocab_size", "vocab_size_or_config_json_file");
        assertThat(read("{'afn':'gelu','n_special':5,'n_ctx':64," + old + "}"))
                .isEqualTo(OpenAiGptConfig.ofSizes(1005, 64, 32, 2, 4));
        assertThat(read("{'afn':'gelu','n_special':0,'summary_activation':'tanh'," + SIZES + "}").choiceActivation())
                .hasValue(Activation.TANH);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "`'afn':'nogelu'`, field afn is \"nogelu\"", "`'afn':3`, field afn is 3",
        "`'afn':'gelu','n_special':-1`, field n_special is -1",
        "`'afn':'gelu','summary_activation':'x'`, field summary_activation is \"x\"",
        "`'architectures':['OpenAIGPTDoubleHeadsModel'],'summary_type':'mean'`, field summary_type is \"mean\"",
        "`'afn':'gelu','bos_token_id':1000`, field bos_token_id is 1000",
        "`'afn':'gelu','bos_token_id':[1,2]`, `field bos_token_id is [1, 2], expected one token`",
        "`'afn':'gelu','n_head':5`, field n_head is 5"})
    void whatIsWrongIsNamed(String fields, String message) throws IOException {
        String sizes = fields.contains("n_head") ? SIZES.replace(",'n_head':4", "") : SIZES;
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> read("{" + fields + "," + sizes + "}"))
                .withMessageContaining("config.json").withMessageContaining(message);
    }

    @Test
    void anotherModelsConfigIsRefused() throws IOException {
        Path gpt2 = file("{'model_type':'gpt2'," + SIZES + "}");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> OpenAiGptConfig.read(gpt2))
                .withMessageContaining("expected model_type \"openai-gpt\"");
    }
}
