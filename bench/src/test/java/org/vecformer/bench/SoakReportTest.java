package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.SoakReport.Options;
import org.vecformer.bench.SvgPanel.Axis;
import org.vecformer.bench.SvgPanel.Tick;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;
import org.w3c.dom.Document;

class SoakReportTest {

    @TempDir
    Path folder;

    private static final SoakRun.Plan SHORT = new SoakRun.Plan(4, 20, 8, 3, 0.5);

    private String report(String... more) throws Exception {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 64, 32, 2, 2), 5);
        String[] args = new String[more.length + 2];
        args[0] = "--svg";
        args[1] = folder.resolve("soak.svg").toString();
        System.arraycopy(more, 0, args, 2, more.length);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        SoakReport.report(Options.parse(args), SHORT, folder, new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aShortOne() throws Exception {
        assertThat(report()).contains("4 clients at a time, prompts of 1 to 20 tokens, 1 to 8 new ones: GPT-2 124M f32",
                "all texts as alone", "| time to the first token |", "| whole request |", "| resident set |");
        Document picture = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(folder.resolve("soak.svg").toFile());
        assertThat(picture.getDocumentElement().getTagName()).isEqualTo("svg");
        // Five kinds of memory, four percentiles over time twice, three latencies.
        assertThat(picture.getElementsByTagName("path").getLength()).isEqualTo(5 + 4 + 4 + 3);
        assertThat(Files.readString(folder.resolve("soak.svg"))).contains("resident set", "p99.9", "MiB",
                "milliseconds", "percentile").doesNotContain("NaN", "Infinity");
    }

    @Test
    void jsonLines() throws Exception {
        List<String> lines = report("--json").lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.getFirst()).startsWith("{\"soak\":\"interval\",\"seconds\":0.5,");
        assertThat(lines.getLast()).startsWith("{\"soak\":\"all\",\"seconds\":1.5,")
                .contains("\"first_token_ms\":{\"count\":");
    }

    @Test
    void whatDoesNotFitTheModelIsRefused() throws Exception {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 16, 32, 2, 2), 5);
        assertThatThrownBy(() -> SoakReport.report(Options.parse(), SHORT, folder, System.out))
                .hasMessageContaining("prompts of 20 tokens and 8 new ones; the model's context length is 16");
    }

    @Test
    void options() {
        Options options = Options.parse("--model", "m", "--weights", "int8", "--minutes", "30", "--clients", "64",
                "--prompt", "200", "--tokens", "50", "--threads", "3", "--svg", "x.svg", "--json");
        assertThat(options).isEqualTo(new Options(Optional.of(Path.of("m")), WeightType.INT8, 30, 64, 200, 50,
                3, Path.of("x.svg"), true, false));
        assertThat(options.plan().seconds() * options.plan().intervals()).isEqualTo(30 * 60);
    }

    @ParameterizedTest
    @CsvSource({"--clients 0, --clients is 0; expected 1 to 10000", "--minutes x, --minutes is x",
        "--what, unknown option --what"})
    void wrongOptions(String line, String message) throws Exception {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = SoakReport.run(line.split(" "), System.out, new PrintStream(err, true, StandardCharsets.UTF_8));
        assertThat(status).isEqualTo(SoakReport.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("SoakReport: " + message);
    }

    @Test
    void axes() {
        assertThat(Axis.linear("", 7, SoakPicture::number).ticks()).extracting(Tick::value)
                .containsExactly(0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0);
        assertThat(Axis.linear("", 1300, SoakPicture::number).ticks()).extracting(Tick::name)
                .containsExactly("0", "200", "400", "600", "800", "1000", "1200", "1400");
        assertThat(Axis.logarithmic("", 3, 70, SoakPicture::number).ticks()).extracting(Tick::name)
                .containsExactly("2", "5", "10", "20", "50", "100");
        assertThat(Axis.logarithmic("", 5, 5, SoakPicture::number).ticks()).extracting(Tick::name)
                .containsExactly("5", "10");
    }
}
