package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A JVM with other flags than this one's, on the same class path. */
final class JavaProcess {

    private static final List<String> USUAL = List.of("--add-modules", "jdk.incubator.vector");

    private JavaProcess() {
    }

    /**
     * Runs a program to its end.
     *
     * @param flags of the JVM
     * @return what it printed, on both streams
     */
    static String run(List<String> flags, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(USUAL);
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        CompletableFuture<Process> ended = process.onExit().orTimeout(Waiting.LIMIT.toSeconds(), TimeUnit.SECONDS)
                .whenComplete((_, _) -> process.destroyForcibly());
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ended).as("%s, which printed%n%s", main.getName(), output).succeedsWithin(Waiting.LIMIT);
        assertThat(process.exitValue()).as("%s, which printed%n%s", main.getName(), output).isZero();
        return output;
    }
}
