package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.kernel.WorkerPool;
import org.vecformer.engine.model.Model;
import org.vecformer.loader.DType;

/** Which kernels are chosen, and what is said about it. Some choices are made once for a JVM: those tests start one. */
class EngineTest {

    /** Prints what an engine says of itself, or why there is none. */
    static final class Describe {
        private Describe() {
        }

        public static void main(String[] args) {
            EngineOptions options = EngineOptions.defaults().withThreads(1).withBackend(BackendChoice.valueOf(args[0]))
                    .withRequireSimd(Boolean.parseBoolean(args[1]));
            try (Engine engine = Engine.create(options)) {
                System.out.println(engine.description() + "|" + engine.notes());
            } catch (UnsupportedBackendException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }

    private static String describe(List<String> flags, BackendChoice backend, boolean requireSimd)
            throws IOException, InterruptedException {
        return java(flags, Describe.class, backend.name(), Boolean.toString(requireSimd));
    }

    private static String java(List<String> flags, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        return output(command(flags, main, arguments));
    }

    private static List<String> command(List<String> flags, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    private static final List<String> MODULE = List.of("--add-modules", "jdk.incubator.vector");

    private static List<String> moduleAnd(String... flags) {
        List<String> all = new ArrayList<>(MODULE);
        all.addAll(List.of(flags));
        return all;
    }

    @Test
    void vectorKernelsWhereTheModuleIs() throws Exception {
        assertThat(describe(MODULE, BackendChoice.VECTOR, true))
                .containsPattern("vector kernels, (128|256|512)-bit, 1 thread\\|\\[\\]");
        assertThat(describe(MODULE, BackendChoice.AUTO, true))
                .containsPattern("vector kernels, (128|256|512)-bit, 1 thread \\(plain Java so far.*\\)\\|\\[\\]");
    }

    @Test
    void withoutTheModuleItSaysSoLoudlyAndWhatToDo() throws Exception {
        assertThat(describe(List.of(), BackendChoice.AUTO, false)).contains("scalar kernels, 1 thread|[")
                .contains("--add-modules jdk.incubator.vector").contains("WARNING: running on plain Java kernels");
        assertThat(describe(List.of(), BackendChoice.SCALAR, false)).contains("scalar kernels, 1 thread|[]")
                .doesNotContain("WARNING");
    }

    @Test
    void withoutTheModuleAnInsistingCallerIsRefused() throws Exception {
        assertThat(describe(List.of(), BackendChoice.VECTOR, false)).contains("refused: ")
                .contains("--add-modules jdk.incubator.vector");
        assertThat(describe(List.of(), BackendChoice.AUTO, true)).contains("refused: ")
                .contains("--add-modules jdk.incubator.vector");
    }

    @Test
    void flagsThatMakeVectorsSlowAreNamed() throws Exception {
        assertThat(describe(moduleAnd("-XX:TieredStopAtLevel=1"), BackendChoice.AUTO, false)).contains("scalar kernels")
                .contains("TieredStopAtLevel is 1");
        assertThat(describe(moduleAnd("-XX:-UseFMA"), BackendChoice.AUTO, false)).contains("scalar kernels")
                .contains("UseFMA is false");
    }

    @Test
    void aForcedWidthIsUsedAndAWrongOneRefused() throws Exception {
        assertThat(describe(moduleAnd("-Dvecformer.vectorBits=128"), BackendChoice.VECTOR, true))
                .contains("vector kernels, 128-bit");
        assertThat(describe(moduleAnd("-Dvecformer.vectorBits=100"), BackendChoice.VECTOR, true)).contains("100")
                .contains("64, 128, 256 or 512");
    }

    @Test
    void threadsAreTheCoresUnlessSaidOtherwise() {
        EngineOptions options = EngineOptions.defaults().withBackend(BackendChoice.SCALAR);
        try (Engine automatic = Engine.create(options); Engine three = Engine.create(options.withThreads(3))) {
            assertThat(automatic.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
            assertThat(three.threads()).isEqualTo(3);
            assertThat(three.cpu().pool()).isNotSameAs(automatic.cpu().pool());
        }
        assertThatThrownBy(() -> options.withThreads(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
        assertThatThrownBy(() -> options.withRequireSimd(true)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Models share their engine's threads; who has an engine of his own has threads of his own. */
    @Test
    void threadsEndWithTheLastModelAndBeginAgainWithWork(@TempDir Path directory) throws Exception {
        TestModels.write(directory, TestModels.Shape.ODD, 1, DType.F32);
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(3));
                Engine other = Engine.create(EngineOptions.defaults().withThreads(3))) {
            WorkerPool pool = engine.compute().pool();
            assertThat(pool).isNotSameAs(other.compute().pool());
            assertThat(pool.workerThreads()).as("threads without work").isEmpty();
            Thread[] threads;
            try (Model _ = Model.load(engine, directory)) {
                Model second = Model.load(engine, directory);
                pool.run((_, _, _) -> {
                }, 100, 1);
                threads = pool.workerThreads();
                assertThat(threads).hasSize(2).allMatch(Thread::isAlive);
                second.close();
                second.close();
                assertThat(pool.workerThreads()).isEqualTo(threads).allMatch(Thread::isAlive);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(pool.workerThreads()).isEmpty();
            try (Model _ = Model.load(engine, directory)) {
                pool.run((_, _, _) -> {
                }, 100, 1);
                assertThat(pool.workerThreads()).hasSize(2).allMatch(Thread::isAlive);
                threads = pool.workerThreads();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    /** What a container's CPU limit comes to, and an affinity. */
    @Test
    void oneProcessorIsOneThread() throws Exception {
        String one = java(moduleAnd("-XX:ActiveProcessorCount=1"), Threads.class);
        assertThat(one).contains("threads 1 of 1");
        Path taskset = Path.of("/usr/bin/taskset");
        if (Files.isExecutable(taskset)) {
            // A container need not have processor 0. "Cpus_allowed_list: 4-7,9"
            String allowed = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("Cpus_allowed_list:")).findFirst().orElseThrow();
            String first = allowed.replaceFirst("\\D*(\\d+).*", "$1");
            List<String> command = new ArrayList<>(List.of(taskset.toString(), "-c", first));
            command.addAll(command(MODULE, Threads.class));
            assertThat(output(command)).contains("threads 1 of 1");
        }
    }

    /** Prints how many threads an engine has by default. */
    static final class Threads {
        private Threads() {
        }

        public static void main(String[] args) {
            try (Engine engine = Engine.create(EngineOptions.defaults())) {
                System.out.println("threads " + engine.threads() + " of " + Runtime.getRuntime().availableProcessors());
            }
        }
    }

    /** AUTO begins on plain kernels and changes over when there is work for vector kernels. */
    @Test
    void autoChangesOverWhenWarm() throws Exception {
        try (Engine engine = Engine.create(EngineOptions.defaults())) {
            assertThat(engine.computesOnVectors()).isFalse();
            engine.awaitWarmUp();
            assertThat(engine.computesOnVectors()).isTrue();
        }
    }
}
