package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two processes that end as one: real signals to real processes of gpt2.jar. */
class SignalsIT {
    /** Works for a minute: every token is computed from the whole text before it. */
    private static final String[] LONG = {"generate", "Once upon a time", "--greedy", "--ignore-eos", "--no-cache",
        "--backend", "scalar",
        "--threads", "1", "--max-new-tokens", "500"};

    private static final String BEGINNING = ", there was a little girl named Lily. She loved to play outside";

    @TempDir
    Path folder;

    static Stream<String> javas() {
        return JarProcess.javas().stream();
    }

    @BeforeAll
    static void linuxOnly() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")) && Files.isExecutable(Path.of("/usr/bin/setsid")),
                "skipped: signals are sent with kill and setsid of Linux");
    }

    private static void assertBeginning(String out) {
        assertThat(out).endsWith("\n");
        String text = out.substring(0, out.length() - 1);
        assertThat(text.startsWith(BEGINNING) || BEGINNING.startsWith(text)).as(text).isTrue();
    }

    @ParameterizedTest
    @MethodSource("javas")
    void ctrlCEndsTheTextWithWhatWasWritten(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            ProcessHandle child = gpt2.awaitOutput(15).child();
            gpt2.signalGroup("INT");
            assertThat(gpt2.await()).isEqualTo(130);
            assertThat(JarProcess.ends(child)).isTrue();
            assertBeginning(gpt2.out());
            assertThat(gpt2.err()).hasLineCount(1).contains("(cancelled)");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void ctrlCLeavesAWholeJsonResult(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, "generate", "--jsonl", "--greedy", "--ignore-eos", "--no-cache",
                "--backend", "scalar",
                "--threads", "1", "--max-length", "100")) {
            // The first line has no room for a new token and is answered at once; the second is under way when the
            // signal comes.
            gpt2.input().write(("{\"ids\":[" + "5,".repeat(99) + "5]}\n{\"text\":\"Once upon a time\"}\n")
                    .getBytes(StandardCharsets.UTF_8));
            gpt2.input().flush();
            gpt2.awaitOutput(100);
            Thread.sleep(300);
            gpt2.signalGroup("INT");
            assertThat(gpt2.await()).isEqualTo(130);
            List<String> lines = gpt2.out().lines().toList();
            assertThat(lines).hasSize(2);
            Map<String, Object> second = CommandRun.asObject(CommandRun.json(lines.get(1)));
            assertThat(second.get("sequences").toString()).contains("finish_reason=cancelled");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void ctrlCLeavesWholeLinesOfABert(String java) throws Exception {
        String model = TinyBert.write(folder, "BertForMaskedLM").toString();
        byte[] line = "{\"text\":\"bob is [MASK]\"}\n".getBytes(StandardCharsets.UTF_8);
        try (JarProcess gpt2 = JarProcess.start(java, "fill-mask", "--jsonl", "--model", model)) {
            Thread.startVirtualThread(() -> writeForEver(line, gpt2.input()));
            gpt2.awaitOutput(10_000);
            gpt2.signalGroup("INT");
            assertThat(gpt2.await()).isEqualTo(130);
            assertThat(gpt2.out()).endsWith("]}]\n");
            assertThat(gpt2.out().lines().distinct()).hasSize(1);
            assertThat(gpt2.err()).doesNotContain("\tat ");
        }
    }

    private static void writeForEver(byte[] line, OutputStream target) {
        try {
            while (true) {
                target.write(line);
            }
        } catch (IOException e) {
            // The reader has gone.
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void aTermToTheParentAloneEndsBoth(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            ProcessHandle child = gpt2.awaitOutput(15).child();
            gpt2.signal("TERM");
            assertThat(gpt2.await()).isEqualTo(143);
            assertThat(JarProcess.ends(child)).isTrue();
            assertBeginning(gpt2.out());
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void anInterruptToTheParentAloneEndsBoth(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            ProcessHandle child = gpt2.awaitOutput(15).child();
            gpt2.signal("INT");
            assertThat(gpt2.await()).isEqualTo(130);
            assertThat(JarProcess.ends(child)).isTrue();
            assertBeginning(gpt2.out());
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void noOrphanIsLeftWhenTheParentIsKilled(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            ProcessHandle child = gpt2.awaitOutput(15).child();
            gpt2.signal("KILL");
            assertThat(gpt2.await()).isEqualTo(137);
            assertThat(JarProcess.ends(child)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void whateverEndsTheChildEndsTheParentTheSameWay(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            JarProcess.kill("TERM", String.valueOf(gpt2.awaitOutput(5).child().pid()));
            assertThat(gpt2.await()).isEqualTo(143);
        }
        try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
            JarProcess.kill("KILL", String.valueOf(gpt2.awaitOutput(5).child().pid()));
            assertThat(gpt2.await()).isEqualTo(137);
            assertThat(gpt2.err()).contains("signal 9");
        }
    }

    /** At any moment of the start: before there is a child, while it is born, while it loads. */
    @ParameterizedTest
    @MethodSource("javas")
    void aSignalDuringTheStartLeavesNobody(String java) throws Exception {
        for (String signal : List.of("TERM", "INT", "KILL")) {
            for (int delay : new int[]{0, 40, 80, 130, 250}) {
                try (JarProcess gpt2 = JarProcess.start(java, LONG)) {
                    Thread.sleep(delay);
                    List<ProcessHandle> children = gpt2.process().descendants().toList();
                    if (signal.equals("INT")) {
                        gpt2.signalGroup(signal);
                    } else {
                        gpt2.signal(signal);
                    }
                    // await() ends only when nobody holds the output any more.
                    int status = gpt2.await();
                    // A JVM that is told to end while it boots may end with 1 and say nothing; that is its own affair.
                    if (status != 1 || !gpt2.err().isEmpty() && !gpt2.err().contains("Runtime.exit(")) {
                        assertThat(status).as(signal + " after " + delay + " ms: " + gpt2.err())
                                .isEqualTo(switch (signal) {
                                    case "TERM" -> 143;
                                    case "INT" -> 130;
                                    default -> 137;
                                });
                    }
                    for (ProcessHandle child : children) {
                        assertThat(JarProcess.ends(child)).isTrue();
                    }
                }
            }
        }
    }
}
