package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.bench.ServingReport.Line;
import org.vecformer.bench.ServingReport.Options;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.ModelFiles;

class ServingReportTest {

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void allAnswersAreTheSame(boolean draws, @TempDir Path directory) throws Exception {
        RandomModel.write(directory, Gpt2Config.ofSizes(97, 64, 32, 2, 2), 3);
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(2))) {
            List<Line> lines = ServingReport.measure(engine, ModelFiles.of(directory), WeightType.F32,
                    new ServingRun.Plan(5, 40, 8, draws, List.of(1, 7), 2));
            assertThat(lines).extracting(Line::name).containsExactly("one at a time f32", "scheduler f32 x 1",
                    "scheduler f32 x 7");
            assertThat(lines).allSatisfy(line -> {
                assertThat(line.served().tokensPerSecond().values()).hasSize(2);
                assertThat(line.served().tokensPerSecond().least()).isPositive();
                assertThat(line.served().first().least()).isPositive()
                        .isLessThanOrEqualTo(line.served().latency().most());
                assertThat(line.served().latency().least()).isLessThanOrEqualTo(line.served().latency95().most());
                assertThat(ServingReport.text(line)).startsWith(line.name());
                assertThat(ServingReport.json(line, engine, WeightType.F32)).contains("\"answer_seconds_95_median\":",
                        "\"first_seconds_median\":");
            });
            assertThat(lines.getFirst().byOne()).isNull();
            assertThat(lines.getLast().byOne().least()).isPositive();
        }
    }

    @Test
    void options() {
        Options options = Options.parse("--model", "m", "--weights", "bf16,int4", "--clients", "2,32", "--draw",
                "--backend", "scalar", "--rounds", "4", "--threads", "5", "--json");
        assertThat(options.model()).hasToString("Optional[m]");
        assertThat(options.weights()).containsExactly(WeightType.BF16, WeightType.INT4);
        assertThat(options.clients()).containsExactly(2, 32);
        assertThat(options.draws()).isTrue();
        assertThat(options.backend()).isEqualTo(BackendChoice.SCALAR);
        assertThat(options.rounds()).isEqualTo(4);
        assertThat(options.threads()).isEqualTo(5);
        assertThat(options.json()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"--wat,unknown option", "--rounds,needs a value", "--clients 0,expected 1 to 1024",
        "--weights f64,expected f32"})
    void badOptions(String line, String message) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aUsageErrorIsOneLineAndStatus2() throws Exception {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(ServingReport.run(new String[]{"--clients", "many"}, new PrintStream(new ByteArrayOutputStream()),
                new PrintStream(err))).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("ServingReport: --clients is many; expected 1 to 1024");
    }
}
