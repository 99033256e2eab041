package org.vecformer.cli;

import java.io.PrintStream;

/** How far something is, on a terminal. Nothing is shown of what is over in a moment. Thread-safe. */
final class ProgressBar implements AutoCloseable {
    private static final int WIDTH = 30;
    private static final long FIRST_NANOS = 300_000_000;
    private static final long INTERVAL_NANOS = 100_000_000;

    private final PrintStream err;
    private final String what;
    private long next = System.nanoTime() + FIRST_NANOS;
    private int shown;

    /** @param what what is under way: {@code loading} */
    ProgressBar(PrintStream err, String what) {
        this.err = err;
        this.what = what;
    }

    /** So much of the whole is done; nothing is shown if the whole is not known (0). */
    synchronized void show(long done, long total) {
        if (total <= 0 || !isTime()) {
            return;
        }
        double share = Math.clamp((double) done / total, 0, 1);
        int full = (int) Math.round(share * WIDTH);
        draw("[" + "#".repeat(full) + " ".repeat(WIDTH - full) + "] " + Math.round(share * 100) + " %");
    }

    /** So many lines are done, of nobody knows how many. */
    synchronized void show(long lines) {
        if (isTime()) {
            draw("line " + lines);
        }
    }

    private boolean isTime() {
        long now = System.nanoTime();
        if (now - next < 0) {
            return false;
        }
        next = now + INTERVAL_NANOS;
        return true;
    }

    private void draw(String state) {
        String line = what + ' ' + state;
        err.print('\r' + line + " ".repeat(Math.max(0, shown - line.length())));
        err.flush();
        shown = line.length();
    }

    /** Takes the bar away, so that something else can be written there; it comes back with the next step. */
    synchronized void clear() {
        if (shown > 0) {
            err.print('\r' + " ".repeat(shown) + '\r');
            err.flush();
            shown = 0;
        }
    }

    @Override
    public void close() {
        clear();
    }
}
