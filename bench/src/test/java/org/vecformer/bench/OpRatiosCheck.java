package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The slow check, which only the profile {@code op-ratios} runs: {@link OpRatios} out of the jar, as a user starts it.
 * What it prints is in {@code target/op-ratios.txt}.
 */
class OpRatiosCheck {

    @Test
    void everyOpIsMadeOfInstructionsAtEveryWidth() throws Exception {
        Path jar = Path.of(System.getProperty("vecformer.jar"));
        Path printed = jar.resolveSibling("op-ratios.txt");
        Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "--add-modules",
                "jdk.incubator.vector", "-cp", jar.toString(), OpRatios.class.getName()).redirectErrorStream(true)
                .redirectOutput(printed.toFile()).start();
        int status = process.waitFor();
        String text = Files.readString(printed);
        System.out.println(text);
        assertThat(status).as(text).isEqualTo(OpRatios.OK);
    }
}
