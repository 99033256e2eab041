package org.vecformer.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The whole process of {@code java -jar gpt2.jar}, launcher included, from start to exit. Needs {@code
 * -Dvecformer.bench.jar=FILE}; {@code -Dvecformer.bench.java=FILE} names another java than the one of this JVM.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 10)
@Fork(1)
public class StartBenchmark {

    /** What is asked for. */
    public enum Command {
        /** Start and end. */
        VERSION("--version"),
        /** 32 tokens from the model in the jar. */
        GENERATE("generate", "--greedy", "--max-new-tokens", "32", "Once upon a time");

        final List<String> arguments;

        Command(String... arguments) {
            this.arguments = List.of(arguments);
        }
    }

    @Param
    public Command command;

    @Benchmark
    public String start() throws IOException, InterruptedException {
        String jar = System.getProperty("vecformer.bench.jar");
        if (jar == null) {
            throw new IllegalStateException("not measured: give gpt2.jar by -Dvecformer.bench.jar=...");
        }
        String java = System.getProperty("vecformer.bench.java",
                ProcessHandle.current().info().command().orElse("java"));
        List<String> line = new ArrayList<>(List.of(java, "-jar", jar));
        line.addAll(command.arguments);
        Process process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0 || output.isBlank()) {
            throw new IllegalStateException(
                    line + " ended with status " + status + " and the output \"" + output + "\"");
        }
        return output;
    }
}
