package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.EmbeddingServiceReport.Options;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.BertConfig;

/** The report on a tiny model: its lines, not its speeds. */
class EmbeddingServiceReportTest {

    @TempDir
    static Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void write() throws IOException {
        RandomModel.write(folder, BertConfig.ofSizes(300, 256, 24, 2, 3), 1);
    }

    private int run(String... more) throws InterruptedException {
        List<String> args = new ArrayList<>(List.of("--model", folder.toString(), "--backend", "scalar", "--threads",
                "1", "--rounds", "2", "--seconds", "0.0001", "--callers", "1,3,20"));
        args.addAll(List.of(more));
        return EmbeddingServiceReport.run(args.toArray(String[]::new), new PrintStream(out), new PrintStream(err));
    }

    private List<String> lines() {
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aLineForEachNumberOfCallers() throws Exception {
        assertThat(run()).as(err.toString(StandardCharsets.UTF_8)).isZero();
        for (String name : List.of("one at a time", "1 caller ", "3 callers", "20 callers")) {
            assertThat(lines()).filteredOn(line -> line.startsWith("  " + name)).hasSize(2)
                    .allMatch(line -> line.endsWith(" ms") && line.contains(" % "));
        }
        assertThat(lines()).anyMatch(line -> line.startsWith("queries of 6-24 tokens; FMA peak "));
    }

    @Test
    void jsonLines() throws Exception {
        assertThat(run("--json", "--weights", "bf16", "--batch-tokens", "64")).isZero();
        assertThat(lines()).hasSize(2 * 4);
        for (String line : lines()) {
            try (JsonParser parser = new JsonFactory().createParser(line)) {
                while (parser.nextToken() != null) {
                    // It is well-formed.
                }
            }
        }
        assertThat(lines().getFirst()).startsWith("{\"test\":\"embed queries of 6-24 tokens\",\"callers\":0,"
                + "\"backend\":\"scalar\",\"weights\":\"bf16\",\"threads\":1,\"batch_tokens\":64,\"rounds\":2,"
                + "\"unit\":\"texts/s\",\"median\":").doesNotContain("this_by_alone");
        assertThat(lines().get(3)).contains("\"callers\":20").contains("\"this_by_alone_median\":")
                .contains("\"texts_a_run\":");
    }

    @Test
    void options() {
        Options options = Options.parse("--weights", "int8", "--backend", "scalar", "--callers", "2,8",
                "--batch-tokens", "99", "--rounds", "3", "--threads", "5", "--seconds", "0.25", "--json");
        assertThat(options.weights()).isEqualTo(WeightType.INT8);
        assertThat(options.backend()).isEqualTo(BackendChoice.SCALAR);
        assertThat(options.callers()).containsExactly(2, 8);
        assertThat(options.batchTokens()).isEqualTo(99);
        assertThat(options.rounds()).isEqualTo(3);
        assertThat(options.seconds()).isEqualTo(0.25);
        assertThat(options.threads()).isEqualTo(5);
        assertThat(options.json()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"--wat,unknown option", "--callers 0,expected 1 to", "--batch-tokens 0,expected 1 to",
        "--weights f64,expected f32", "'--weights f32,int8',expected one"})
    void badOptions(String line, String message) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void badUseIsAStatus() throws Exception {
        assertThat(run("--rounds")).isEqualTo(EmbeddingServiceReport.USAGE);
        assertThat(run("--model", folder.resolve("none").toString())).isEqualTo(EmbeddingServiceReport.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8).lines()).hasSize(2)
                .allMatch(line -> line.startsWith("EmbeddingServiceReport: "));
        assertThat(run("--help")).isZero();
        assertThat(lines().getFirst()).startsWith("usage: ");
    }
}
