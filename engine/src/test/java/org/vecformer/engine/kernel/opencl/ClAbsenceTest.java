package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.UnsupportedBackendException;

/**
 * Machines on which something of OpenCL is missing: each says what. What a JVM has loaded stays, so each is one of its
 * own.
 */
class ClAbsenceTest {

    private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    @TempDir
    Path directory;

    /** Lists devices and opens one; prints why it cannot. */
    static final class Devices {
        private Devices() {
        }

        public static void main(String[] args) {
            try {
                System.out.println("devices: " + ComputeDevice.list().size());
            } catch (UnsupportedBackendException e) {
                System.out.println("list: " + e.getMessage());
            }
            try {
                ClDevice.open(new DeviceChoice.OpenCl(0), false).close();
                System.out.println("opened");
            } catch (UnsupportedBackendException e) {
                System.out.println("open: " + e.getMessage());
            }
        }
    }

    /** Opens one without having looked for any before. */
    static final class OpenOnly {
        private OpenOnly() {
        }

        public static void main(String[] args) {
            try {
                ClDevice.open(new DeviceChoice.FirstGpu(), false).close();
            } catch (UnsupportedBackendException e) {
                System.out.println("open: " + e.getMessage());
            }
        }
    }

    /** Computes nothing, on the CPU. */
    static final class Cpu {
        private Cpu() {
        }

        public static void main(String[] args) {
            try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1))) {
                System.out.println("computes on " + engine.description());
            }
        }
    }

    private static String classPath(boolean jocl) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> jocl || !Path.of(entry).getFileName().toString().startsWith("jocl-"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String java(Class<?> main, boolean jocl, Map<String, String> environment, String... flags)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", classPath(jocl), main.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // Java would say that it has picked them up.
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    @Test
    void withoutJocl() throws Exception {
        String missing = "OpenCL is called through JOCL, which is missing: add org.jocl:jocl:2.0.6 to the class path";
        assertThat(java(Devices.class, false, Map.of(), NATIVE).lines()).satisfiesExactly(
                line -> assertThat(line).startsWith("list: " + missing),
                line -> assertThat(line).startsWith("open: " + missing));
        assertThat(java(OpenOnly.class, false, Map.of(), NATIVE).lines())
                .satisfiesExactly(line -> assertThat(line).startsWith("open: " + missing));
    }

    /** A file that is no library stands for a loader that is not there: this machine may have one. */
    @Test
    void withoutALoader() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "skipped: made up by LD_LIBRARY_PATH, of Linux");
        for (String name : List.of("libOpenCL.so.1", "libOpenCL.so")) {
            Files.createFile(directory.resolve(name));
        }
        String missing = "there is no OpenCL loader (libOpenCL.so.1 or libOpenCL.so) on this machine: ";
        // these lines only: JOCL itself would write on the standard output
        assertThat(java(Devices.class, true, Map.of("LD_LIBRARY_PATH", directory.toString()), NATIVE).lines())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("list: " + missing).contains("ocl-icd-libopencl1",
                                "pocl-opencl-icd"),
                        line -> assertThat(line).startsWith("open: " + missing));
    }

    @Test
    @Tag("opencl")
    void withALoaderButNoDriver() throws Exception {
        TestDevices.firstOrSkip();
        String output = java(Devices.class, true, Map.of("OCL_ICD_VENDORS", directory.toString()), NATIVE);
        assumeTrue(!output.contains("opened"), "skipped: this loader does not know OCL_ICD_VENDORS");
        assertThat(output)
                .contains("list: there is an OpenCL loader on this machine, but no driver that works is registered")
                .contains("OCL_ICD_VENDORS is " + directory).contains("pocl-opencl-icd");
    }

    @Test
    @Tag("opencl")
    void withADriverThatCannotBeLoaded() throws Exception {
        TestDevices.firstOrSkip();
        Files.writeString(directory.resolve("broken.icd"), "libthatisnothere.so.1\n");
        String output = java(Devices.class, true, Map.of("OCL_ICD_VENDORS", directory.toString()), NATIVE);
        assumeTrue(!output.contains("opened"), "skipped: this loader does not know OCL_ICD_VENDORS");
        assertThat(output).contains("but no driver that works is registered");
    }

    /** PoCL has those that its variable names. */
    @Test
    @Tag("opencl")
    void withADriverButNoDevice() throws Exception {
        assumeTrue(TestDevices.firstOrSkip().platform().equals("Portable Computing Language"), "skipped: no PoCL");
        assertThat(java(Devices.class, true, Map.of("POCL_DEVICES", "none"), NATIVE)).contains(
                "list: OpenCL has no device here: the platform Portable Computing Language",
                "CL_DEVICE_NOT_FOUND (-1)");
        assertThat(java(Devices.class, true, Map.of("POCL_DEVICES", "pthread basic"), NATIVE))
                .contains("devices: 2").contains("opened");
    }

    @Test
    @Tag("opencl")
    void withNoPlaceForJoclsLibrary() throws Exception {
        TestDevices.firstOrSkip();
        Path file = Files.createFile(directory.resolve("file"));
        String output = java(Devices.class, true, Map.of(), NATIVE, "-Djava.io.tmpdir=" + file.resolve("below"));
        assertThat(output).contains("list: JOCL's native library cannot be loaded")
                .contains("open: JOCL's native library cannot be loaded").contains("java.io.tmpdir, " + file);
        assertThat(output.lines().filter(line -> line.startsWith("list: "))).hasSize(1);
    }

    @Test
    @Tag("opencl")
    void withoutTheRightToCallNativeCode() throws Exception {
        TestDevices.firstOrSkip();
        assertThat(java(Devices.class, true, Map.of(), "--illegal-native-access=deny"))
                .contains("list: java does not let OpenCL be called: start it with --enable-native-access");
    }

    /** A process of its own has a file of its own, and takes it away. */
    @Test
    @Tag("opencl")
    void joclsLibraryIsNotLeftBehind() throws Exception {
        TestDevices.firstOrSkip();
        assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "skipped: Windows keeps the library");
        // a file of the name that JOCL would take, left half-written by another process
        Files.createFile(directory.resolve("libJOCL_2_0_6-linux-x86_64.so"));
        assertThat(java(Devices.class, true, Map.of(), NATIVE, "-Djava.io.tmpdir=" + directory)).contains("opened");
        assertThat(directory.toFile().list()).containsExactly("libJOCL_2_0_6-linux-x86_64.so");
    }

    @Test
    void theCpuLoadsNothingOfOpenCl() throws Exception {
        String output = java(Cpu.class, true, Map.of(), "--add-modules", "jdk.incubator.vector", "-Xlog:class+load");
        assertThat(output).contains("computes on ").contains("org.vecformer.engine.Engine ")
                .doesNotContain("org.jocl");
        assertThat(java(Cpu.class, false, Map.of(), "--add-modules", "jdk.incubator.vector"))
                .contains("computes on ");
    }
}
