package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.CommandSpec;

class HeadStartTest {
    @Test
    void itLoadsTheEmbeddedModelAsItWouldBeLoadedAnyway() throws IOException {
        try (LoadedGpt2 model = HeadStart.of(new String[]{"generate", "Once", "--greedy"}).model()) {
            assertThat(model.name()).isEqualTo("storyteller");
            assertThat(model.tokenizer().ids("Once")).containsExactly(567);
            assertThat(model.generation().topK()).hasValue(40);
        }
    }

    @Test
    void whatMakesADifferenceToLoadingPreventsIt() throws IOException {
        for (String option : List.of("--model", "--model=x", "--threads", "--device", "--backend=scalar",
                "--require-simd", "--weights", "--help",
                "-h")) {
            assertThat(HeadStart.of(new String[]{"generate", "Once", option}).model()).as(option).isNull();
        }
        assertThat(HeadStart.of(new String[]{"info", "--tensors", "x"}).model()).isNull();
        assertThat(HeadStart.of(new String[]{"tokenize", "Once"}).model()).isNull();
        assertThat(HeadStart.of(new String[0]).model()).isNull();
    }

    @Test
    void everyOptionOfComputingAndChoosingAModelIsKnownToIt() {
        // Given where it has a head start, such an option would be ignored.
        CommandSpec options = CommandSpec.forAnnotatedObject(new ComputeOptions());
        assertThat(options.options()).isNotEmpty().allSatisfy(option -> assertThat(
                HeadStart.of(new String[]{"generate", option.longestName()}).model()).as(option.longestName())
                .isNull());
    }
}
