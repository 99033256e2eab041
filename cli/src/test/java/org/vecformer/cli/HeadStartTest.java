package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;

class HeadStartTest {
    @Test
    void itLoadsTheEmbeddedModelAsItWouldBeLoadedAnyway() throws IOException {
        try (LoadedGpt model = HeadStart.of(new String[]{"generate", "Once", "--greedy"}, true).model(null)) {
            assertThat(model.name()).isEqualTo("storyteller");
            assertThat(model.tokenizer().ids("Once")).containsExactly(567);
            assertThat(model.generation().topK()).hasValue(40);
        }
    }

    @Test
    void itLoadsTheModelThatGenerateNames() throws IOException {
        String named = CommandRun.embeddedModel().toString();
        String[] line = {"generate", "--greedy", "--model", named, "Once"};
        HeadStart headStart = HeadStart.of(line, false);
        assertThat(headStart.model(null)).isNull();
        assertThat(headStart.model("another")).isNull();
        try (LoadedGpt model = headStart.model(named)) {
            assertThat(model.name()).isEqualTo(named);
            assertThat(model.tokenizer().ids("Once")).containsExactly(567);
        }
        assertThat(HeadStart.of(line, true).model(named)).as("where a bar is shown").isNull();
        line[0] = "score";
        assertThat(HeadStart.of(line, false).model(named)).isNull();
        String[] twice = {"generate", "--model", named, "--model", named};
        assertThat(HeadStart.of(twice, false).model(named)).isNull();
    }

    /** The command itself says what is wrong; so it does with a model that is not there. */
    @Test
    void aModelOfAnotherKindIsNotTaken(@TempDir Path folder) throws IOException {
        String bert = TinyBert.write(folder.resolve("bert"), "BertForMaskedLM").toString();
        assertThat(HeadStart.of(new String[]{"generate", "--model", bert}, false).model(bert)).isNull();
        String missing = folder.resolve("missing").toString();
        HeadStart headStart = HeadStart.of(new String[]{"generate", "--model", missing}, false);
        assertThatThrownBy(() -> headStart.model(missing)).isInstanceOf(IOException.class)
                .hasMessageContaining("missing");
    }

    @Test
    void whatMakesADifferenceToLoadingPreventsIt() throws IOException {
        for (String option : List.of("--model", "--model=x", "--threads", "--device", "--backend=scalar",
                "--require-simd", "--weights", "--help",
                "-h")) {
            assertThat(HeadStart.of(new String[]{"generate", "Once", option}, false).model(null)).as(option).isNull();
        }
        assertThat(HeadStart.of(new String[]{"info", "--tensors", "x"}, false).model(null)).isNull();
        assertThat(HeadStart.of(new String[]{"tokenize", "Once"}, false).model(null)).isNull();
        assertThat(HeadStart.of(new String[0], false).model(null)).isNull();
    }

    @Test
    void everyOptionOfComputingAndChoosingAModelIsKnownToIt() {
        // Given where it has a head start, such an option would be ignored.
        CommandSpec options = CommandSpec.forAnnotatedObject(new ComputeOptions());
        assertThat(options.options()).isNotEmpty().allSatisfy(option -> assertThat(
                HeadStart.of(new String[]{"generate", option.longestName()}, false).model(null))
                .as(option.longestName())
                .isNull());
    }
}
