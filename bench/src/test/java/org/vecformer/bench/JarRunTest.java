package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JarRunTest {

    private static final int HELD = 64 << 20;

    @TempDir
    Path folder;

    /** What is in the jar. */
    static final class Program {
        private Program() {
        }

        public static void main(String[] args) throws InterruptedException {
            if (args[0].equals("fail")) {
                System.err.println("one thing");
                System.err.println("and another");
                System.exit(3);
            }
            byte[] held = new byte[HELD];
            java.util.Arrays.fill(held, (byte) 1);
            Thread.sleep(1000);
            System.out.println(args[0] + held[HELD - 1]);
        }
    }

    private Path jar() throws IOException {
        String name = Program.class.getName();
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, name);
        Path jar = folder.resolve("program.jar");
        String entry = name.replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                InputStream program = JarRunTest.class.getClassLoader().getResourceAsStream(entry)) {
            out.putNextEntry(new JarEntry(entry));
            program.transferTo(out);
        }
        return jar;
    }

    @Test
    void timeOutputAndMemory() throws Exception {
        JarRun run = JarRun.of(jar(), "hello");
        assertThat(run.output().strip()).isEqualTo("hello1");
        assertThat(run.seconds()).isGreaterThan(1);
        assumeTrue(Files.exists(Path.of("/proc/self/status")), "only Linux tells a process's peak");
        assertThat(run.peakResidentBytes()).isGreaterThan(HELD);
    }

    @Test
    void aFailureSaysWhatTheProgramSaidLast() throws Exception {
        Path jar = jar();
        assertThatThrownBy(() -> JarRun.of(jar, "fail")).isInstanceOf(IOException.class)
                .hasMessageEndingWith("program.jar fail ended with status 3: and another");
    }
}
