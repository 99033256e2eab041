package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Benchmark;

/** The jar as people run it. */
class BenchmarksJarIT {

    private static final List<Class<?>> ALL = List.of(ActivationBenchmark.class, AttentionBenchmark.class,
            BatchDecodeBenchmark.class, ConstraintBenchmark.class, DecodingBenchmark.class, EncoderBenchmark.class,
            ForwardBenchmark.class,
            IntegerDotBenchmark.class, LayerNormBenchmark.class, MatmulBenchmark.class,
            SamplerBenchmark.class, SamplingBenchmark.class, StartBenchmark.class, TokenizerBenchmark.class,
            TurnBenchmark.class);

    private final Path jar = Path.of(System.getProperty("vecformer.jar"));

    @Test
    void itHasTheListOfBenchmarksAndTheLicences() throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            assertThat(file.getManifest().getMainAttributes().getValue(Attributes.Name.MAIN_CLASS))
                    .isEqualTo("org.openjdk.jmh.Main");
            // Without it the annotation processor did not run.
            assertThat(file.getEntry("META-INF/BenchmarkList")).isNotNull();
            assertThat(file.getEntry("module-info.class")).isNull();
            assertThat(file.getEntry("META-INF/LICENSE")).isNotNull();
            assertThat(file.getEntry("META-INF/LICENSE.txt")).isNotNull();
            assertThat(file.getEntry("LICENSE")).isNotNull();
        }
    }

    @Test
    void jmhListsEveryBenchmark() throws IOException, InterruptedException {
        List<String> expected = ALL.stream().flatMap(type -> java.util.Arrays.stream(type.getMethods())
                .filter(m -> m.isAnnotationPresent(Benchmark.class)).map(m -> type.getName() + "." + m.getName()))
                .toList();
        assertThat(expected).hasSizeGreaterThanOrEqualTo(ALL.size());
        Run run = java("-jar", jar.toString(), "-l");
        assertThat(run.status).as(run.output).isZero();
        assertThat(run.output.lines().filter(line -> line.startsWith("org.")))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SpeedReport", "SoakReport", "EncoderReport", "TargetsReport", "TokenizerReport",
        "DeviceReport"})
    void theReportsStart(String report) throws IOException, InterruptedException {
        Run run = java("-cp", jar.toString(), "org.vecformer.bench." + report, "--help");
        assertThat(run.status).as(run.output).isZero();
        assertThat(run.output).startsWith("usage: java ").contains("org.vecformer.bench." + report + " [options]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SpeedReport", "SoakReport", "EncoderReport", "TargetsReport"})
    void withoutTheVectorModuleAReportSaysWhatToDo(String report) throws IOException, InterruptedException {
        Run run = java("-cp", jar.toString(), "org.vecformer.bench." + report);
        assertThat(run.status).isEqualTo(2);
        assertThat(run.output.lines()).containsExactly(report
                + ": the limits are measured with vectors: start java with --add-modules jdk.incubator.vector");
    }

    @Test
    void whatWeAreComparedWithIsNotInIt() throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            assertThat(file.stream().map(entry -> entry.getName())).noneMatch(name -> name.startsWith("ai/")
                    || name.endsWith(".onnx") || name.endsWith(".so") && !name.startsWith("lib/libJOCL"));
        }
    }

    @Test
    @Tag("opencl")
    void aTwinOnADevice() throws IOException, InterruptedException {
        assumeTrue(Devices.present(), Devices.SKIPPED);
        // Another run of JMH's on this machine does not matter to one that measures nothing.
        Run run = java("-Djmh.ignoreLock=true", "-jar", jar.toString(), "LayerNorm", "-p", "backend=OPENCL", "-p",
                "rows=1", "-f", "1", "-wi",
                "1",
                "-w", "1ms", "-i", "1", "-r", "1ms");
        assertThat(run.status).as(run.output).isZero();
        assertThat(run.output.lines()).as(run.output)
                .anyMatch(line -> line.matches("LayerNormBenchmark.layerNorm +OPENCL .* us/op"));
    }

    private record Run(int status, String output) {}

    private static Run java(String... arguments) throws IOException, InterruptedException {
        List<String> line = new java.util.ArrayList<>();
        line.add(ProcessHandle.current().info().command().orElseThrow());
        line.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        // Java would say that it has picked them up.
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
        return new Run(process.exitValue(), output);
    }
}
