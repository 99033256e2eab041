package org.vecformer.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.vecformer.cli.launcher.Arguments;

/** The main class in the JDK that the launcher found. */
public final class Main {
    private Main() {
    }

    /** Runs the command and ends the JVM with its exit status. */
    public static void main(String[] arguments) {
        String[] original = Boolean.getBoolean(Arguments.ENCODED) ? Arguments.decode(arguments) : arguments;
        HeadStart headStart = HeadStart.of(original, Streams.isTerminal(2));
        Interruption interruption = new Interruption();
        LauncherWatch.start();
        Runtime.getRuntime().addShutdownHook(new Thread(interruption::endCleanly, "interruption"));
        // UTF-8 whatever the locale says: the output is a contract with other programs.
        Streams streams = new Streams(new FileInputStream(FileDescriptor.in),
                new StandardOutput(new FileOutputStream(FileDescriptor.out)),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                Streams.isTerminal(2), Screen.detect());
        int status = new Cli(new Context(streams, interruption, headStart)).run(original);
        interruption.finished();
        System.exit(status);
    }
}
