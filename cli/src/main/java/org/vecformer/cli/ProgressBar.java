package org.vecformer.cli;

import java.io.PrintStream;
import org.vecformer.engine.model.LoadProgress;

/** How far loading is, on a terminal. Nothing is shown of what is over in a moment. Thread-safe. */
final class ProgressBar implements LoadProgress {
    private static final int WIDTH = 30;
    private static final long FIRST_NANOS = 300_000_000;
    private static final long INTERVAL_NANOS = 100_000_000;

    private final PrintStream err;
    private long next = System.nanoTime() + FIRST_NANOS;
    private boolean shown;

    ProgressBar(PrintStream err) {
        this.err = err;
    }

    @Override
    public synchronized void loaded(long bytes, long total) {
        long now = System.nanoTime();
        if (now - next < 0 || total <= 0) {
            return;
        }
        next = now + INTERVAL_NANOS;
        shown = true;
        double share = Math.clamp((double) bytes / total, 0, 1);
        int full = (int) Math.round(share * WIDTH);
        err.print("\rloading [" + "#".repeat(full) + " ".repeat(WIDTH - full) + "] " + Math.round(share * 100) + " %");
        err.flush();
    }

    /** Takes the bar away. */
    synchronized void end() {
        if (shown) {
            err.print("\r" + " ".repeat(WIDTH + 20) + "\r");
            err.flush();
            shown = false;
        }
    }
}
