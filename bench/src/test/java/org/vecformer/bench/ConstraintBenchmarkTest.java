package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.tokenizer.Tokenizer;

/** The constraints of the benchmark allow its texts, the first time and again. */
class ConstraintBenchmarkTest {

    @ParameterizedTest
    @EnumSource
    void textsAreAllowed(ConstraintBenchmark.Kind kind, @TempDir Path folder) throws IOException {
        // A vocabulary of bytes alone, in GPT-2's spelling.
        StringJoiner tokens = new StringJoiner(", ", "{", "}");
        int odd = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            String spelled = Character.toString(printable ? b : odd++);
            tokens.add("\"" + (b == '"' || b == '\\' ? "\\" : "") + spelled + "\": " + b);
        }
        Files.writeString(folder.resolve("vocab.json"), tokens.toString());
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
        ConstraintBenchmark benchmark = new ConstraintBenchmark();
        benchmark.kind = kind;
        benchmark.prepare(Tokenizer.load(folder));
        float least = benchmark.again();
        assertThat(least).isFinite().isEqualTo(benchmark.firstTime());
    }

    @Test
    void aVocabularyIsNeeded() {
        ConstraintBenchmark benchmark = new ConstraintBenchmark();
        assertThatIllegalStateException().isThrownBy(benchmark::load)
                .withMessageContaining("-Dvecformer.bench.tokenizer=");
    }
}
