package org.vecformer.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** gpt2.jar on a terminal: a session of tmux, whose keys are typed and whose screen is read here. */
final class TmuxScreen implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 120;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final String socket = "vecformer-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();

    private TmuxScreen() {
    }

    static boolean isThere() {
        return Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "tmux")));
    }

    /** Starts {@code java -jar gpt2.jar arguments}; when it ends the screen shows {@code status=N}. */
    static TmuxScreen start(String java, int columns, int rows, String... arguments) {
        TmuxScreen screen = new TmuxScreen();
        StringBuilder line = new StringBuilder();
        for (String word : List.of(java, "-jar", JarProcess.jar().toString())) {
            line.append(quoted(word)).append(' ');
        }
        for (String argument : arguments) {
            line.append(quoted(argument)).append(' ');
        }
        screen.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", String.valueOf(columns), "-y",
                String.valueOf(rows), line + "; echo status=$?; stty -a; exec cat");
        return screen;
    }

    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    private String tmux(String... arguments) {
        List<String> command = new ArrayList<>(List.of("tmux", "-L", socket));
        command.addAll(List.of(arguments));
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("LC_ALL", "C.UTF-8");
            // It runs the line; the user's own may be another one, or none.
            builder.environment().put("SHELL", "/bin/sh");
            JarProcess.quietJava(builder);
            Process process = builder.start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", command) + ": " + out);
            }
            return out;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Presses keys, by tmux's names: Enter, Left, C-c. */
    TmuxScreen keys(String... keys) {
        List<String> command = new ArrayList<>(List.of("send-keys"));
        command.addAll(List.of(keys));
        tmux(command.toArray(String[]::new));
        return this;
    }

    TmuxScreen type(String text) {
        tmux("send-keys", "-l", "--", text);
        return this;
    }

    /** Types a line and Enter. */
    TmuxScreen enter(String line) {
        return type(line).keys("Enter");
    }

    /** All that was written, lines that the terminal broke put together again. */
    String text() {
        return tmux("capture-pane", "-p", "-J", "-S", "-").stripTrailing();
    }

    /** What stands where the cursor is. */
    String lastLine() {
        return text().lines().reduce("", (_, line) -> line).stripTrailing();
    }

    /** Waits until the whole text is as it should be; returns it. */
    String await(String what, Predicate<String> expected) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (true) {
            String text = text();
            if (expected.test(text)) {
                return text;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("the screen does not show " + what + ":\n" + text);
            }
            Thread.sleep(20);
        }
    }

    String awaitText(String part) throws InterruptedException {
        return await(part, text -> text.contains(part));
    }

    /** Waits until the last line is this one. */
    String awaitLine(String line) throws InterruptedException {
        return await("the last line '" + line + "'",
                text -> text.lines().reduce("", (_, last) -> last).stripTrailing().equals(line));
    }

    void resize(int columns, int rows) {
        tmux("resize-window", "-x", String.valueOf(columns), "-y", String.valueOf(rows));
    }

    @Override
    public void close() {
        tmux("kill-server");
    }
}
