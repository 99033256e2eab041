package org.vecformer.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * A run of {@code java -jar gpt2.jar}, with the java of this process.
 *
 * @param seconds           from start to exit
 * @param output            what it printed
 * @param peakResidentBytes the most memory that the largest of its processes had resident; 0 where nobody tells
 */
record JarRun(double seconds, String output, long peakResidentBytes) {

    private static final long WATCH_MILLIS = 5;

    /**
     * @throws IOException if it cannot be started, fails or prints nothing; the message has what it said last
     */
    static JarRun of(Path jar, String... arguments) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElse("java"), "-jar", jar.toString()));
        line.addAll(List.of(arguments));
        AtomicLong peak = new AtomicLong();
        long start = System.nanoTime();
        Process process = new ProcessBuilder(line).start();
        try {
            process.getOutputStream().close();
            Thread watch = Thread.ofVirtual().start(() -> watch(process, peak));
            StringBuffer said = new StringBuffer();
            Thread errors = Thread.ofVirtual()
                    .start(() -> process.errorReader(StandardCharsets.UTF_8).lines().forEach(text -> {
                        said.setLength(0);
                        said.append(text);
                    }));
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            double seconds = (System.nanoTime() - start) / 1e9;
            watch.join();
            errors.join();
            if (status != 0 || output.isBlank()) {
                throw new IOException(String.join(" ", line) + " ended with status " + status + ": " + said);
            }
            return new JarRun(seconds, output, peak.get());
        } finally {
            process.destroyForcibly();
        }
    }

    /** Looks until it has ended: the system tells the peak of a process that runs, not of one that ran. */
    private static void watch(Process process, AtomicLong peak) {
        while (process.isAlive()) {
            Stream.concat(Stream.of(process.toHandle()), process.descendants())
                    .forEach(handle -> peak.accumulateAndGet(peakResidentBytes(handle.pid()), Math::max));
            try {
                Thread.sleep(WATCH_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** {@code VmHWM} of Linux; 0 where there is none, or no such process any more. */
    static long peakResidentBytes(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", String.valueOf(pid), "status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10).findFirst().orElse(0);
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }
}
