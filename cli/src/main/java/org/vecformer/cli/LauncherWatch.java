package org.vecformer.cli;

import org.vecformer.cli.launcher.Launcher;

/**
 * Ends this process when its launcher is gone without a word (SIGKILL): nobody would ever stop it, and nobody waits for
 * its result.
 *
 * <p>It asks for the parent's id again and again, for {@code ProcessHandle.onExit} of a process that is not one's own
 * child looks less and less often, and takes a killed parent that nobody has reaped yet for a living one.
 */
final class LauncherWatch {
    private static final long INTERVAL_MILLIS = 250;
    private static final int STATUS = 128 + 9;

    private LauncherWatch() {
    }

    /** Starts the watch if a launcher started this process. */
    static void start() {
        Long launcher = Long.getLong(Launcher.PARENT);
        if (launcher != null) {
            Thread.ofPlatform().daemon().name("launcher-watch").start(() -> watch(launcher));
        }
    }

    private static void watch(long launcher) {
        try {
            while (!isGone(launcher)) {
                Thread.sleep(INTERVAL_MILLIS);
            }
            System.exit(STATUS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Unix gives the children of a dead process to another parent; Windows does not, but there the id is free
     * again.
     */
    private static boolean isGone(long launcher) {
        boolean adopted = ProcessHandle.current().parent().filter(parent -> parent.pid() != launcher).isPresent();
        return adopted || !ProcessHandle.of(launcher).map(ProcessHandle::isAlive).orElse(false);
    }
}
