package org.vecformer.cli.launcher;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * The process that does the work. This process waits for it, and whatever asks this one to end is passed on, so that the two end together and
 * in order: the child first, with all that it has to write, then this one with the child's exit status.
 *
 * <p>Ctrl-C reaches both processes, because a terminal sends it to the whole group; a TERM (as a container or a service manager sends it) reaches
 * this one alone. A shutdown hook is the one place where plain Java learns of either.
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
    private final Object lock = new Object();
    private Process process;
    private boolean ending;

    Child(ProcessBuilder builder, boolean windows) {
        this.builder = builder;
        this.windows = windows;
    }

    /** Starts the child, waits for its end and returns its exit status. */
    int run() throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(new Thread("child-watch") {
            @Override
            public void run() {
                endTogether();
            }
        });
        synchronized (lock) {
            if (ending) {
                return 128 + SIGTERM;
            }
            process = builder.start();
        }
        int status = process.waitFor();
        if (status == 128 + SIGKILL) {
            System.err.println(
                    "gpt2: the Java process that ran the command was killed (signal 9); was the memory short?");
        }
        return status;
    }

    private void endTogether() {
        synchronized (lock) {
            ending = true;
            if (process == null) {
                return;
            }
        }
        if (!process.isAlive()) {
            Runtime.getRuntime().halt(process.exitValue());
        }
        int signal = receivedSignal();
        try {
            boolean told = false;
            // On Windows there is only Ctrl-C, which both get, and destroy() would not ask but kill.
            if (!windows && (signal == SIGTERM || !process.waitFor(OWN_SIGNAL_MILLIS, TimeUnit.MILLISECONDS))) {
                told = process.isAlive();
                process.destroy();
            }
            int status = process.waitFor();
            // The child ended by the signal it was told with; the exit status is that of the signal that came.
            Runtime.getRuntime().halt(told && status == 128 + SIGTERM && signal != 0 ? 128 + signal : status);
        } catch (InterruptedException e) {
            process.destroy();
        }
    }

    /** Which signal began the end: the JVM runs it in a thread named after it. 0 if there is none (an ordinary exit) or the JVM names it otherwise. */
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
