package org.vecformer.cli.launcher;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * The process that does the work. This process waits for it, and whatever asks this one to end is passed on, so that
 * the two end together and in order: the child first, with all that it has to write, then this one with the child's
 * exit status.
 *
 * <p>Ctrl-C reaches both processes, because a terminal sends it to the whole group; a TERM (as a container or a service
 * manager sends it) reaches this one alone. A shutdown hook is the one place where plain Java learns of either.
 */
final class Child {
    private static final int SIGHUP = 1;
    private static final int SIGINT = 2;
    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;

    /** How long a child that got the same Ctrl-C may take before it is told again. Being told twice does it no harm. */
    private static final long OWN_SIGNAL_MILLIS = 200;

    private final ProcessBuilder builder;
    private final boolean windows;
    private final ClassArchive archive;
    private final Object lock = new Object();
    private Process process;
    private boolean ending;

    /** @param archive what the child may write at its end */
    Child(ProcessBuilder builder, boolean windows, ClassArchive archive) {
        this.builder = builder;
        this.windows = windows;
        this.archive = archive;
    }

    /** Starts the child, waits for its end and returns its exit status. */
    int run() throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(new Thread("child-watch") {
            @Override
            public void run() {
                endTogether();
            }
        });
        try {
            synchronized (lock) {
                if (!ending) {
                    process = builder.start();
                }
            }
        } catch (IOException e) {
            // Ctrl-C may have ended the child before it was one; then this process is about to end, too.
            Thread.sleep(OWN_SIGNAL_MILLIS);
            if (!isEnding()) {
                throw e;
            }
        }
        if (process == null) {
            // The JVM is ending with the signal's own status, and exiting waits for that.
            return 128 + SIGTERM;
        }
        int status = process.waitFor();
        archive.ended(status);
        if (status == 128 + SIGKILL) {
            System.err.println(
                    "gpt2: the Java process that ran the command was killed (signal 9); was the memory short?");
        }
        return status;
    }

    private boolean isEnding() {
        synchronized (lock) {
            return ending;
        }
    }

    private void endTogether() {
        synchronized (lock) {
            ending = true;
            if (process == null) {
                return;
            }
        }
        int signal = receivedSignal();
        try {
            // On Windows there is only Ctrl-C, which both get, and destroy() would not ask but kill.
            if (!windows && (signal == SIGTERM || !process.waitFor(OWN_SIGNAL_MILLIS, TimeUnit.MILLISECONDS))) {
                process.destroy();
            }
            // The child may have been told by another signal than came here, or, told while its JVM was booting, have
            // ended with 1.
            int status = process.waitFor();
            archive.ended(status);
            Runtime.getRuntime().halt(signal == 0 || status == 128 + SIGKILL ? status : 128 + signal);
        } catch (InterruptedException e) {
            process.destroy();
        }
    }

    /**
     * Which signal began the end: the JVM runs it in a thread named after it. 0 if there is none (an ordinary
     * exit) or the JVM names it otherwise.
     */
    private static int receivedSignal() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            String name = thread.getName();
            if (name.equals("SIGTERM handler")) {
                return SIGTERM;
            }
            if (name.equals("SIGINT handler")) {
                return SIGINT;
            }
            if (name.equals("SIGHUP handler")) {
                return SIGHUP;
            }
        }
        return 0;
    }
}
