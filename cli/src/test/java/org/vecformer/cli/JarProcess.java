package org.vecformer.cli;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** gpt2.jar as a real process, started by one of the Javas of this machine. */
final class JarProcess implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 300;

    private final Process process;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final CompletableFuture<Void> outEnded;
    private final CompletableFuture<Void> errEnded;

    private JarProcess(ProcessBuilder builder) {
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        outEnded = CompletableFuture.runAsync(() -> copy(process.getInputStream(), out), Thread::startVirtualThread);
        errEnded = CompletableFuture.runAsync(() -> copy(process.getErrorStream(), err), Thread::startVirtualThread);
    }

    static Path jar() {
        return Path.of(System.getProperty("vecformer.jar"));
    }

    /**
     * The Java that runs the tests, and the one on the PATH if it is another (an older one: the launcher's
     * own case).
     */
    static List<String> javas() {
        Set<String> javas = new LinkedHashSet<>();
        for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
            Path java = Path.of(folder).resolve("java");
            if (Files.isExecutable(java)) {
                try {
                    javas.add(java.toRealPath().toString());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                break;
            }
        }
        javas.add(thisJava());
        return List.copyOf(javas);
    }

    static String thisJava() {
        try {
            return Path.of(System.getProperty("java.home"), "bin", "java").toRealPath().toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A Java that cannot run the engine itself, if this machine has one. */
    static List<String> olderJavas() {
        return javas().stream().filter(java -> !java.equals(thisJava())).toList();
    }

    static JarProcess start(String java, String... arguments) {
        return start(Map.of(), java, arguments);
    }

    /**
     * Starts {@code java -jar gpt2.jar arguments} as the leader of a process group of its own, as a shell does. SIGINT
     * is set back to its default, for a build that runs in the background hands down that it is ignored.
     */
    static JarProcess start(Map<String, String> environment, String java, String... arguments) {
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,TERM", "setsid"));
        command.addAll(List.of(java, "-jar", jar().toString()));
        command.addAll(List.of(arguments));
        return start(environment, command);
    }

    /** Takes away the options at which Java says on standard error that it has picked them up. */
    static void quietJava(ProcessBuilder builder) {
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    }

    static JarProcess start(Map<String, String> environment, List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        quietJava(builder);
        environment.forEach((name, value) -> {
            if (value == null) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return new JarProcess(builder);
    }

    /** A shell line; {@code $JAVA} and {@code $JAR} are set. What is not ASCII in it must be written with printf. */
    static JarProcess shell(Map<String, String> environment, String java, String line) {
        Map<String, String> all = new HashMap<>(environment);
        all.put("JAVA", java);
        all.put("JAR", jar().toString());
        return start(all, List.of("sh", "-c", line));
    }

    private static void copy(InputStream in, ByteArrayOutputStream target) {
        byte[] buffer = new byte[4096];
        try (in) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                synchronized (target) {
                    target.write(buffer, 0, n);
                }
            }
        } catch (IOException e) {
            // The test closed the stream.
        }
    }

    private static String text(ByteArrayOutputStream bytes) {
        synchronized (bytes) {
            return bytes.toString(StandardCharsets.UTF_8);
        }
    }

    Process process() {
        return process;
    }

    OutputStream input() {
        return process.getOutputStream();
    }

    String out() {
        return text(out);
    }

    /** Standard error without the line that the JVM itself writes about incubating modules. */
    String err() {
        StringBuilder lines = new StringBuilder();
        text(err).lines().filter(line -> !line.equals("WARNING: Using incubator modules: jdk.incubator.vector"))
                .forEach(line -> lines.append(line).append('\n'));
        return lines.toString();
    }

    /** Waits until there is so much output. */
    JarProcess awaitOutput(int characters) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (out().length() < characters) {
            if (System.nanoTime() - deadline > 0 || !process.isAlive()) {
                throw new AssertionError("no such output; standard output: " + out() + "; standard error: " + err());
            }
            Thread.sleep(5);
        }
        return this;
    }

    /** The process that does the work. */
    ProcessHandle child() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (process.children().findAny().isEmpty()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("no child");
            }
            Thread.sleep(2);
        }
        return process.children().findAny().orElseThrow();
    }

    void signal(String signal) {
        kill(signal, String.valueOf(process.pid()));
    }

    /** Also in the moment in which the process is not yet the leader of its group. */
    void signalGroup(String signal) {
        while (!kill(signal, "-" + process.pid()) && process.isAlive()) {
            Thread.onSpinWait();
        }
    }

    /** Whether there was somebody to be told. */
    static boolean kill(String signal, String target) {
        try {
            return new ProcessBuilder("kill", "-s", signal, "--", target).redirectErrorStream(true)
                    .redirectOutput(Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits for the end of the process and of its output; the exit status. */
    int await() throws InterruptedException {
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("still running; standard output: " + out() + "; standard error: " + err());
        }
        // If anybody were left who holds the streams, this would not end.
        CompletableFuture.allOf(outEnded, errEnded).orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
        return process.exitValue();
    }

    /** Whether a process has gone within some seconds. A process that is dead but not yet reaped has gone. */
    static boolean ends(ProcessHandle handle) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
        while (isRunning(handle)) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Thread.sleep(20);
        }
        return true;
    }

    private static boolean isRunning(ProcessHandle handle) {
        try {
            String state = Files.readString(Path.of("/proc/" + handle.pid() + "/stat"));
            return !state.substring(state.lastIndexOf(')')).startsWith(") Z");
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
