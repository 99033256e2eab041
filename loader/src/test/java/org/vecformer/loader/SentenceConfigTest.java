package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.loader.SentenceConfig.Pooling;

/** What sentence-transformers' files say, and what is wrong with them. */
class SentenceConfigTest {

    @TempDir
    Path folder;

    @BeforeEach
    void plainModel() throws IOException {
        modules("Transformer:", "Pooling:1_Pooling", "Normalize:2_Normalize");
        write("1_Pooling/config.json", "{'word_embedding_dimension':8,'pooling_mode_mean_tokens':true}");
    }

    private void write(String name, String json) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, json.replace('\'', '"'));
    }

    private void modules(String... modules) throws IOException {
        StringBuilder json = new StringBuilder("[");
        for (String module : modules) {
            String[] parts = (module + " ").split(":");
            json.append(json.length() > 1 ? "," : "").append("{'idx':0,'name':'0','path':'").append(parts[1].trim())
                    .append("','type':'sentence_transformers.models.").append(parts[0]).append("'}");
        }
        write("modules.json", json + "]");
    }

    @Test
    void aModelWithoutModulesHasTheMeanOfItsTokens() throws IOException {
        Files.delete(folder.resolve("modules.json"));
        assertThat(SentenceConfig.isPresent(folder)).isFalse();
        assertThat(SentenceConfig.read(folder)).isEqualTo(SentenceConfig.defaults());
        assertThat(SentenceConfig.defaults().poolings()).containsExactly(Pooling.MEAN);
        assertThat(SentenceConfig.defaults().normalize()).isFalse();
    }

    @Test
    void modulesAndTheirFilesAreRead() throws IOException {
        assertThat(SentenceConfig.isPresent(folder)).isTrue();
        SentenceConfig plain = SentenceConfig.read(folder);
        assertThat(plain.poolings()).containsExactly(Pooling.MEAN);
        assertThat(plain.normalize()).isTrue();
        assertThat(plain.maxLength()).isEmpty();
        assertThat(plain.includePrompt()).isTrue();

        write("sentence_bert_config.json", "{'max_seq_length':12,'do_lower_case':true}");
        write("config_sentence_transformers.json",
                "{'prompts':{'query':'query: ','document':''},'default_prompt_name':'query','similarity_fn_name':null}");
        write("1_Pooling/config.json", "{'pooling_mode_cls_token':true,'pooling_mode_mean_tokens':false,"
                + "'pooling_mode_lasttoken':true,'pooling_mode_max_tokens':true,'include_prompt':false}");
        modules("Transformer:", "Pooling:1_Pooling");
        SentenceConfig config = SentenceConfig.read(folder);
        assertThat(config.poolings()).containsExactly(Pooling.CLS, Pooling.MAX, Pooling.LAST_TOKEN);
        assertThat(config.normalize()).isFalse();
        assertThat(config.maxLength()).hasValue(12);
        assertThat(config.lowerCase()).isTrue();
        assertThat(config.prompts()).isEqualTo(Map.of("query", "query: ", "document", ""));
        assertThat(config.defaultPrompt()).hasValue("query");
        assertThat(config.includePrompt()).isFalse();
    }

    @Test
    void newerFilesNameThePooling() throws IOException {
        write("1_Pooling/config.json", "{'embedding_dimension':8,'pooling_mode':'weightedmean'}");
        assertThat(SentenceConfig.read(folder).poolings()).containsExactly(Pooling.WEIGHTED_MEAN);
        write("1_Pooling/config.json", "{'pooling_mode':'median'}");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> SentenceConfig.read(folder))
                .withMessageContaining("median").withMessageContaining("weightedmean");
    }

    @Test
    void denseLayersComeBetweenPoolingAndNormalization() throws IOException {
        modules("Transformer:", "Pooling:1_Pooling", "Dense:2_Dense", "Normalize:3_Normalize");
        write("2_Dense/config.json", "{'in_features':8,'out_features':4,'bias':true,"
                + "'activation_function':'torch.nn.modules.activation.Tanh'}");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> SentenceConfig.read(folder))
                .withMessageContaining("model.safetensors");
        write("2_Dense/model.safetensors", "");
        assertThat(SentenceConfig.read(folder).dense()).containsExactly(new SentenceConfig.Dense(8, 4, true,
                Optional.of(Activation.TANH), folder.resolve("2_Dense").resolve("model.safetensors")));
        write("2_Dense/config.json", "{'in_features':8,'out_features':4,'activation_function':'torch.nn.Softplus'}");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> SentenceConfig.read(folder))
                .withMessageContaining("Softplus");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "Transformer:,Pooling:1_Pooling,LSTM:2; LSTM",
        "Pooling:1_Pooling,Transformer:; comes first",
        "Transformer:,Normalize:2,Pooling:1_Pooling; after Normalize",
        "Transformer:,Pooling:1_Pooling,Pooling:1_Pooling; after Pooling",
        "Transformer:; no pooling module",
        "Transformer:,Pooling:../1_Pooling; field path",
        "Transformer:,Pooling:/etc; field path"})
    void otherModulesAreRefused(String modules, String message) throws IOException {
        modules(modules.split(","));
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> SentenceConfig.read(folder))
                .withMessageContaining("modules.json").withMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "modules.json; {}; array",
        "modules.json; [1]; element 0",
        "modules.json; [] 1; after the JSON array",
        "modules.json; [{'type':3}]; field type",
        "1_Pooling/config.json; {'pooling_mode_mean_tokens':1}; pooling_mode_mean_tokens",
        "1_Pooling/config.json; {'pooling_mode_mean_tokens':false}; at least one",
        "sentence_bert_config.json; {'max_seq_length':0}; max_seq_length",
        "config_sentence_transformers.json; {'prompts':{'query':7}}; prompts.query",
        "config_sentence_transformers.json; {'prompts':{'query':''},'default_prompt_name':'q'}; default_prompt_name"})
    void whatIsWrongIsNamed(String file, String json, String message) throws IOException {
        write(file, json);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> SentenceConfig.read(folder))
                .withMessageContaining(Path.of(file).getFileName().toString()).withMessageContaining(message);
    }

    @Test
    void damagedFilesEndInOneClearError() throws IOException {
        List<String> files = List.of("modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                "config_sentence_transformers.json");
        write("sentence_bert_config.json", "{'max_seq_length':12,'do_lower_case':true}");
        write("config_sentence_transformers.json", "{'prompts':{'query':'query: '}}");
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            Path file = folder.resolve(files.get(random.nextInt(files.size())));
            byte[] whole = Files.readAllBytes(file);
            byte[] damaged = whole.clone();
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            Files.write(file, damaged);
            try {
                SentenceConfig.read(folder);
            } catch (FormatException | java.nio.file.NoSuchFileException e) {
                assertThat(e.getMessage()).isNotBlank();
                refused++;
            }
            Files.write(file, whole);
        }
        assertThat(refused).isPositive();
    }

    @Test
    void theRealModelIsRead() throws IOException {
        SentenceConfig config = SentenceConfig.read(SharedFiles.get("models/all-MiniLM-L6-v2"));
        assertThat(config.poolings()).containsExactly(Pooling.MEAN);
        assertThat(config.normalize()).isTrue();
        assertThat(config.maxLength()).hasValue(256);
        assertThat(config.lowerCase()).isFalse();
    }
}
