package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.SpeedReport.Line;
import org.vecformer.bench.SpeedReport.Options;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.yardstick.Samples;

class SpeedReportTest {

    private static final SpeedRun.Plan PLAN = new SpeedRun.Plan(128, 64, List.of(4), 1, 0.5);

    private static List<Line> lines(double prompt, double decode, double bandwidth, double peak) {
        Gpt2Config config = RandomModel.gpt2Small();
        return SpeedReport.lines(config, WeightType.F32, PLAN,
                new SpeedRun.Result(one(prompt), one(decode), List.of(one(3 * decode)), one(bandwidth),
                        one(peak)));
    }

    private static Samples one(double value) {
        return new Samples(new double[]{value});
    }

    @Test
    void sharesOfTheLimits() {
        // 20 tokens/s x 494.613504 MB of 20 GB/s; 500 tokens/s x 162.32 MFLOP (20,776,478,208 / 128) of 200 GFLOP/s.
        List<Line> lines = lines(500, 20, 20, 200);
        assertThat(lines).extracting(Line::name)
                .containsExactly("read bandwidth", "FMA peak", "decode f32", "prompt f32", "decode f32 x 4");
        assertThat(lines.get(0).shares()).isNull();
        assertThat(lines.get(2).shares().median()).isCloseTo(0.494613504, within(1e-9));
        assertThat(lines.get(3).shares().median()).isCloseTo(0.405790590, within(1e-9));
        // Four sequences share what is read: 3 / 4 of one's share, and 3 times its tokens.
        assertThat(lines.get(4).shares().median()).isCloseTo(0.494613504 * 3 / 4, within(1e-9));
        assertThat(lines.get(4).byOne().median()).isCloseTo(3, within(1e-9));
    }

    @Test
    void theFloors() {
        assertThat(SpeedReport.missedFloors(lines(500, 21, 20, 200))).isEmpty();
        assertThat(SpeedReport.missedFloors(lines(500, 20, 20, 200)))
                .containsExactly("decode f32 reaches 49.5 % of the machine's read bandwidth; the floor is 50 %");
        assertThat(SpeedReport.missedFloors(lines(340, 21, 20, 200)))
                .containsExactly("prompt f32 reaches 27.6 % of the machine's FMA peak; the floor is 30 %");
        assertThat(SpeedReport.missedFloors(lines(Double.NaN, Double.NaN, 20, 200))).hasSize(2);
    }

    @Test
    void jsonLines() throws Exception {
        try (Engine engine = Engine
                .create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(1))) {
            assertThat(SpeedReport.json(lines(500, 20, 40, 200).get(2), engine, WeightType.F32)).isEqualTo("""
                    {"test":"decode f32","weights":"f32","backend":"scalar","threads":1,"rounds":1,"unit":"tokens/s",\
                    "median":20.0,"least":20.0,"most":20.0,"limit":"read bandwidth",\
                    "share_median":0.247306752,"share_least":0.247306752,"share_most":0.247306752}""");
        }
    }

    @Test
    void options() {
        Options options = Options.parse("--model", "m", "--weights", "bf16,f32,int4", "--batch", "4,16", "--backend",
                "scalar", "--rounds", "3",
                "--threads", "5", "--json", "--check");
        assertThat(options.model()).hasToString("Optional[m]");
        assertThat(options.weights()).containsExactly(WeightType.BF16, WeightType.F32, WeightType.INT4);
        assertThat(options.batches()).containsExactly(4, 16);
        assertThat(options.backend()).isEqualTo(BackendChoice.SCALAR);
        assertThat(options.rounds()).isEqualTo(3);
        assertThat(options.threads()).isEqualTo(5);
        assertThat(options.json()).isTrue();
        assertThat(options.check()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"--wat,unknown option", "--rounds,needs a value", "--rounds 0,expected 1 to",
        "--threads x,expected 1 to",
        "--weights f64,expected f32", "--batch 4;x,expected 1 to", "--batch 257,expected 1 to 256",
        "--backend gpu,expected vector or scalar",
        "--weights bf16 --check,--check is about float32"})
    void badOptions(String line, String message) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aUsageErrorIsOneLineAndStatus2() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = SpeedReport.run(new String[]{"--rounds", "many"}, new PrintStream(out), new PrintStream(err));
        assertThat(status).isEqualTo(2);
        assertThat(out.size()).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("SpeedReport: --rounds is many; expected 1 to 10000");
    }
}
