package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.UnsupportedBackendException;

/** What the command line says of devices, where there are some and where there are none. */
class DevicesTest {

    @TempDir
    Path folder;

    private static List<ComputeDevice> devices() {
        try {
            return ComputeDevice.list();
        } catch (UnsupportedBackendException e) {
            return List.of();
        }
    }

    @Test
    void theCpuIsListedFirst() {
        CommandRun run = CommandRun.of("info", "--devices", "--json", "--threads", "3");
        assertThat(run.status()).isZero();
        List<?> rows = (List<?>) CommandRun.json(run.out());
        assertThat(CommandRun.asObject(rows.getFirst())).containsEntry("device", "cpu").containsEntry("threads", 3)
                .containsKeys("backend", "vector_bits", "notes");
        List<ComputeDevice> devices = devices();
        assertThat(rows).hasSize(1 + devices.size());
        for (ComputeDevice device : devices) {
            Map<String, Object> row = CommandRun.asObject(rows.get(1 + device.index()));
            assertThat(row).containsEntry("device", "opencl:" + device.index()).containsEntry("name", device.name())
                    .containsEntry("type", device.type().name().toLowerCase(Locale.ROOT))
                    .containsEntry("compute_units", device.computeUnits())
                    .containsEntry("half_precision", device.halfPrecision())
                    .containsOnlyKeys("device", "name", "type", "vendor", "platform", "driver", "version",
                            "compute_units", "max_work_group_size", "memory_bytes", "max_allocation_bytes",
                            "local_memory_bytes", "half_precision");
            assertThat(((Number) row.get("memory_bytes")).longValue()).isEqualTo(device.globalMemory());
        }
        assertThat(run.err().lines()).hasSize(devices.isEmpty() ? 1 : 0);
    }

    @Test
    void peopleGetATable() {
        CommandRun run = CommandRun.of("info", "--devices", "--backend", "scalar", "--quiet");
        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        List<String> lines = run.out().lines().toList();
        List<ComputeDevice> devices = devices();
        assertThat(lines).hasSize(2 + devices.size());
        assertThat(lines.get(0)).startsWith("device ");
        assertThat(lines.get(1)).startsWith("cpu ").contains("scalar kernels");
        for (ComputeDevice device : devices) {
            String line = lines.get(2 + device.index());
            assertThat(line).startsWith("opencl:" + device.index() + " ").contains(device.driver());
            assertThat(line.indexOf(device.name())).isEqualTo(lines.get(0).indexOf("name"));
            assertThat(line.indexOf(device.version())).isEqualTo(lines.get(0).indexOf("version"));
        }
    }

    @Test
    void aDeviceThatIsNotThereIsNeverReplaced() {
        CommandRun run = CommandRun.of("generate", "Once", "--device", "opencl:99");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).hasLineCount(1).startsWith("gpt2 generate: ").contains("OpenCL");
        if (!devices().isEmpty()) {
            assertThat(run.err()).contains("opencl:99").contains("opencl:0 (" + devices().getFirst().name());
        }
        if (devices().stream().noneMatch(device -> device.type() == ComputeDevice.Type.GPU)) {
            run = CommandRun.of("score", "Once", "--device", "gpu");
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains("OpenCL");
        }
    }

    @Test
    void optionsThatDoNotGoWithADevice() {
        for (List<String> rest : List.of(List.of("opencl:0", "--backend", "auto"), List.of("gpu", "--require-simd"),
                List.of("opencl:-1"), List.of("opencl"), List.of("cuda"))) {
            List<String> all = new ArrayList<>(List.of("generate", "Once", "--device"));
            all.addAll(rest);
            CommandRun run = CommandRun.of(all.toArray(String[]::new));
            assertThat(run.status()).as("%s", rest).isEqualTo(2);
            assertThat(run.err()).hasLineCount(1).contains("--device").contains(rest.getFirst());
        }
        assertThat(CommandRun.of("generate", "Once", "--max-new-tokens", "1", "--device", "cpu", "--backend", "scalar")
                .status()).isZero();
    }

    @Test
    void aDeviceAnswersAsTheCpuDoes() {
        assumeTrue(!devices().isEmpty(), "skipped: no OpenCL device here (install pocl-opencl-icd)");
        String filler = TinyBert.write(folder.resolve("filler"), "BertForMaskedLM").toString();
        for (List<String> command : List.of(
                List.of("generate", "Once upon a time", "--greedy", "--max-new-tokens", "20", "--json"),
                List.of("generate", "Once", "--num-beams", "3", "--max-new-tokens", "10", "--json"),
                List.of("score", "Once upon a time there was a little girl.", "--json"),
                List.of("next", "Once upon a", "--top-k", "5", "--json"),
                List.of("fill-mask", "bob is [MASK]", "--top-k", "3", "--json", "--model", filler),
                List.of("embed", "bob is a good man", "bob", "--json", "--model", filler))) {
            CommandRun cpu = CommandRun.of(command.toArray(String[]::new));
            List<String> onDevice = new ArrayList<>(command);
            onDevice.addAll(List.of("--device", "opencl:0"));
            CommandRun device = CommandRun.of(onDevice.toArray(String[]::new));
            assertThat(device.status()).as(device.err()).isZero();
            assertClose(CommandRun.json(cpu.out()), CommandRun.json(device.out()), command.toString());
        }
    }

    /** Equal but for the last digits of numbers, and for what was timed. */
    private static void assertClose(Object expected, Object given, String where) {
        switch (expected) {
            case Map<?, ?> object -> {
                assertThat(CommandRun.asObject(given).keySet()).as(where).isEqualTo(object.keySet());
                object.forEach((key, value) -> {
                    if (!key.equals("timing")) {
                        assertClose(value, CommandRun.asObject(given).get(key), where + " " + key);
                    }
                });
            }
            case List<?> list -> {
                assertThat((List<?>) given).as(where).hasSameSizeAs(list);
                for (int i = 0; i < list.size(); i++) {
                    assertClose(list.get(i), ((List<?>) given).get(i), where + " " + i);
                }
            }
            case Double number -> assertThat(((Number) given).doubleValue()).as(where).isCloseTo(number, within(1e-3));
            case null, default -> assertThat(given).as(where).isEqualTo(expected);
        }
    }

    /** A machine with the loader, but without drivers; what a JVM loaded stays, so it is another process. */
    @Test
    void withoutDrivers() throws Exception {
        assumeTrue(!devices().isEmpty(), "skipped: no OpenCL device here (install pocl-opencl-icd)");
        Path none = Files.createDirectory(folder.resolve("none"));
        withoutOpenCl(Map.of("OCL_ICD_VENDORS", none.toString()), "no driver that works is registered");
    }

    /** A machine without the loader: a file that is no library stands for it. */
    @Test
    void withoutTheLoader() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "skipped: made up by LD_LIBRARY_PATH, of Linux");
        Files.createFile(folder.resolve("libOpenCL.so.1"));
        Files.createFile(folder.resolve("libOpenCL.so"));
        withoutOpenCl(Map.of("LD_LIBRARY_PATH", folder.toString()), "no OpenCL loader");
    }

    private static void withoutOpenCl(Map<String, String> environment, String why) throws InterruptedException {
        try (JarProcess gpt2 = start(environment, "info", "--devices", "--json")) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat((List<?>) CommandRun.json(gpt2.out())).hasSize(1).first()
                    .satisfies(cpu -> assertThat(CommandRun.asObject(cpu)).containsEntry("device", "cpu"));
            assertThat(gpt2.err()).hasLineCount(1).startsWith("gpt2 info: no OpenCL devices: ").contains(why)
                    .contains("pocl-opencl-icd");
        }
        try (JarProcess gpt2 = start(environment, "generate", "Once", "--device", "opencl:0")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.out()).isEmpty();
            assertThat(gpt2.err()).hasLineCount(1).startsWith("gpt2 generate: ").contains(why);
        }
        try (JarProcess gpt2 = start(environment, "generate", "Once", "--greedy", "--max-new-tokens", "3")) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.out()).isNotBlank();
            assertThat(gpt2.err()).hasLineCount(1).doesNotContain("OpenCL");
        }
    }

    private static JarProcess start(Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(JarProcess.thisJava(), "--add-modules", "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        return JarProcess.start(environment, command);
    }
}
