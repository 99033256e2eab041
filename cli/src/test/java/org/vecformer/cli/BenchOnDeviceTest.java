package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.UnsupportedBackendException;

/** {@code bench} on an OpenCL device, and the time of its kernels. */
@Tag("opencl")
class BenchOnDeviceTest {

    private static final String[] SHORT = {"bench", "-p", "5", "-n", "2", "-r", "1", "--device", "opencl:0"};

    private ComputeDevice device;

    @BeforeEach
    void findDevice() {
        try {
            device = ComputeDevice.list().getFirst();
        } catch (UnsupportedBackendException _) {
            assumeTrue(false, "skipped: no OpenCL device here (install pocl-opencl-icd, or the GPU vendor's driver)");
        }
    }

    private static CommandRun run(String... more) {
        List<String> line = new ArrayList<>(List.of(SHORT));
        line.addAll(List.of(more));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));
        assertThat(run.status()).as(run.err()).isZero();
        return run;
    }

    @Test
    void theTableNamesTheDeviceAndItsLimits() {
        List<String> lines = run().out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).startsWith("opencl:0, " + device.name()).contains(device.driver());
        assertThat(lines.get(0).endsWith("an OpenCL device that is a CPU; these are no speeds of a GPU"))
                .isEqualTo(device.type() == ComputeDevice.Type.CPU);
        assertThat(lines.get(1)).startsWith("model ");
        assertThat(lines.get(2)).matches(".* opencl .* pp5 .* % of the FMA peak of [0-9.]+ GFLOP/s");
        assertThat(lines.get(3)).matches(".* opencl .* tg2 .* % of the read bandwidth of [0-9.]+ GB/s");
    }

    @Test
    void jsonHasTheDeviceToo() {
        assertThat(run("--json").objects()).hasSize(2).allSatisfy(test -> {
            assertThat(test).containsEntry("backend", "opencl").containsEntry("device", device.name())
                    .containsEntry("device_type", device.type().name().toLowerCase(Locale.ROOT))
                    .doesNotContainKey("kernels");
            assertThat((double) test.get("share")).isPositive();
        });
    }

    @Test
    void aProfileTellsOfEachKernel() {
        List<String> lines = run("--profile").out().lines().toList();
        assertThat(lines).filteredOn(line -> line.startsWith("  kernel ")).hasSize(2);
        assertThat(lines).filteredOn(line -> line.startsWith("  layerNorm ")).hasSize(2);
        assertThat(lines).filteredOn(line -> line.startsWith("  all kernels ")).hasSize(2)
                .allSatisfy(line -> assertThat(line).contains("100.0 %; ").endsWith(" ms that the process waited"));
    }

    @Test
    void aProfileAsJson() {
        List<Map<String, Object>> tests = run("--profile", "--json").objects();
        assertThat(tests).extracting(test -> test.get("test"), test -> (double) test.get("kernels_busy") > 0)
                .containsExactly(tuple("pp5", true), tuple("tg2", true));
        for (Map<String, Object> test : tests) {
            double shares = 0;
            for (Object kernel : (List<?>) test.get("kernels")) {
                Map<String, Object> fields = CommandRun.asObject(kernel);
                assertThat(fields).containsOnlyKeys("name", "launches", "total_ms", "mean_us", "share");
                assertThat((int) fields.get("launches")).isPositive();
                shares += (double) fields.get("share");
            }
            assertThat(shares).isBetween(0.999, 1.001);
        }
        // Two tokens, and nothing of the runs before or of the limits, which read memory.
        assertThat(tests.get(1).toString()).doesNotContain("limits_");
        assertThat((List<?>) tests.get(1).get("kernels")).filteredOn(
                kernel -> CommandRun.asObject(kernel).get("name").equals("embed"))
                .singleElement()
                .satisfies(kernel -> assertThat(CommandRun.asObject(kernel)).containsEntry("launches", 2));
    }

    @Test
    void anEncoder(@TempDir Path folder) throws IOException {
        String model = TinyBert.write(folder, "BertForTokenClassification", "O", "B-PER", "I-PER").toString();
        CommandRun run = CommandRun.of("bench", "-p", "10", "-b", "3", "-r", "1", "--json", "--profile", "--model",
                model, "--device", "opencl:0");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.objects()).hasSize(1).first().satisfies(test -> assertThat(test)
                .containsEntry("test", "pp10b3").containsEntry("backend", "opencl").containsKeys("share", "kernels"));
    }
}
