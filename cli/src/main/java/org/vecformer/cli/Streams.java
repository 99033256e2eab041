package org.vecformer.cli;

import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads and writes: results go to {@code out}, everything that is said about them to {@code err}.
 *
 * @param in standard input
 * @param out standard output; commands flush it when somebody may be waiting for what they wrote
 * @param err standard error, flushed line by line
 * @param terminal whether standard error is a terminal, so that a progress bar makes sense
 * @param screen what standard output is read on
 */
record Streams(InputStream in, StandardOutput out, PrintStream err, boolean terminal, Screen screen) {

    /** Output that goes to a file or another program. */
    Streams(InputStream in, StandardOutput out, PrintStream err, boolean terminal) {
        this(in, out, err, terminal, Screen.NONE);
    }

    /**
     * Java knows only whether input and output both are a terminal; Linux tells what is behind each.
     *
     * @param descriptor 1 for standard output, 2 for standard error
     */
    static boolean isTerminal(int descriptor) {
        try {
            Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
            return target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty")
                    || target.endsWith("console");
        } catch (IOException | UnsupportedOperationException e) {
            Console console = System.console();
            return console != null && console.isTerminal();
        }
    }
}
