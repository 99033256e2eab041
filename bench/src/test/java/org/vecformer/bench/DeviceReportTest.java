package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.DeviceReport.Options;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.WeightType;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Samples;

class DeviceReportTest {

    private record Run(int status, String out, String err) {

        static Run of(String... args) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int status = DeviceReport.run(args, new PrintStream(out, true, StandardCharsets.UTF_8),
                    new PrintStream(err, true, StandardCharsets.UTF_8));
            return new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        }
    }

    private static DeviceTest test(double goal) {
        return new DeviceTest("decode f16", goal, Limit.READ_BANDWIDTH, 16, 64, () -> {
        }, () -> {
        });
    }

    @Test
    void aRowHasTheShareThatTheGoalIsAbout() {
        // Half a run a second of 16 GB and 64 tokens, of 16 GB/s; and twice that of 20.
        Target row = DeviceReport.row(test(0.6), new Samples(new double[]{0.5, 1}), new Samples(new double[]{16, 20}));
        assertThat(row.ours()).isCloseTo(48, within(1e-9));
        assertThat(row.share()).isCloseTo(0.65, within(1e-9));
        assertThat(row.limit()).isCloseTo(18, within(1e-9));
        assertThat(row.goal()).isEqualTo(">= 60 % of its limit");
        assertThat(row.reached()).isTrue();
        assertThat(DeviceReport.row(test(0.7), new Samples(new double[]{0.5}), new Samples(new double[]{16})).reached())
                .isFalse();
        Target free = DeviceReport.row(test(Double.NaN), new Samples(new double[]{1}), new Samples(new double[]{16}));
        assertThat(free.goal()).isEmpty();
        assertThat(free.reached()).isNull();
    }

    @Test
    @Tag("opencl")
    void tinyModelsOnADevice() {
        assumeTrue(Devices.present(), Devices.SKIPPED);
        Run run = Run.of("--device", "opencl:0", "--small", "--rounds", "1", "--seconds", "0.001", "--weights",
                "f16,f32");
        assertThat(run.status).as(run.err).isZero();
        assertThat(run.out.lines()).filteredOn(line -> line.startsWith("| ")).extracting(line -> line.split(" \\| ")[0])
                .containsExactly("| target", "| decode f16", "| decode f16 x 3", "| prompt f16 8", "| prompt f16 40",
                        "| decode f32", "| decode f32 x 3", "| prompt f32 8", "| prompt f32 40",
                        "| BERT f16 3 x 16", "| BERT f16 2 x 16", "| BERT f32 3 x 16", "| BERT f32 2 x 16");
        // The targets of the issue, whether reached or not.
        assertThat(run.out.lines()).filteredOn(line -> line.matches(".*\\| (yes|no) \\|")).satisfiesExactly(
                decode -> assertThat(decode).contains("decode f16 |").contains(">= 60 % of its limit"),
                encoder -> assertThat(encoder).contains("BERT f32 3 x 16").contains(">= 40 % of its limit"));
        assertThat(run.out).startsWith("opencl:0, ").contains("Tiny models").doesNotContain("NaN");
        // A table of kernels for each test, none of them empty.
        assertThat(run.out.lines()).filteredOn(line -> line.startsWith("  all kernels")).hasSize(12)
                .allSatisfy(line -> assertThat(line).contains("100.0 %;"));
    }

    @Test
    @Tag("opencl")
    void jsonLines() {
        assumeTrue(Devices.present(), Devices.SKIPPED);
        Run run = Run.of("--device", "opencl:0", "--small", "--rounds", "1", "--seconds", "0.001", "--weights", "int4",
                "--json");
        assertThat(run.status).as(run.err).isZero();
        List<String> lines = run.out.lines().toList();
        assertThat(lines).hasSize(1 + 6 + 6);
        assertThat(lines.getFirst()).startsWith("{\"device\":\"").contains("\"device_type\":\"");
        assertThat(lines.get(1)).startsWith("{\"target\":\"decode int4\"").contains("\"share\":");
        assertThat(lines.getLast())
                .startsWith("{\"target\":\"BERT int4 2 x 16\",\"tokens\":32,\"kernels\":[{\"name\":");
    }

    @Test
    void aDeviceThatIsNotThere() {
        Run run = Run.of("--device", "opencl:999", "--small");
        assertThat(run.status).isEqualTo(1);
        assertThat(run.err).startsWith("DeviceReport: ").hasLineCount(1);
        assertThat(run.out).isEmpty();
    }

    @Test
    void options() {
        Options options = Options.parse("--device", "opencl:3", "--weights", "f16,int4", "--rounds", "2", "--seconds",
                "0.5", "--small", "--json");
        assertThat(options.device()).isEqualTo(new DeviceChoice.OpenCl(3));
        assertThat(options.weights()).containsExactly(WeightType.F16, WeightType.INT4);
        assertThat(options.rounds()).isEqualTo(2);
        assertThat(options.seconds()).isEqualTo(0.5);
        assertThat(options.sizes()).isSameAs(DeviceTests.Sizes.SMALL);
        assertThat(options.json()).isTrue();
        Options usual = Options.parse();
        assertThat(usual.device()).isEqualTo(new DeviceChoice.FirstGpu());
        assertThat(usual.weights()).containsExactly(WeightType.values());
        assertThat(usual.sizes()).isSameAs(DeviceTests.Sizes.USUAL);
        assertThat(Run.of("--help").out).contains("--small", "jlink", "libnvidia-opencl.so.1");
    }

    @ParameterizedTest
    @CsvSource({"--device cpu, cpu", "--device tpu, tpu", "--device, value", "--rounds 0, 0", "--threads 2, --threads",
        "--weights f8, f8"})
    void whatIsNotUnderstood(String line, String named) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
        assertThat(Run.of(line.split(" ")).status).isEqualTo(2);
    }
}
