package org.vecformer.loader.convert;

import java.util.concurrent.CancellationException;

/** Counts what has been read and notices that the conversion was cancelled. */
final class Pulse {
    private final ConversionProgress progress;
    private volatile boolean cancelled;
    private long done;
    private long total;

    Pulse(ConversionProgress progress) {
        this.progress = progress;
    }

    void cancel() {
        cancelled = true;
    }

    /** So many bytes are to be read beyond those read so far. */
    void expect(long bytes) {
        total = done + bytes;
    }

    /**
     * So many bytes were read.
     *
     * @throws CancellationException if the conversion was cancelled
     */
    void done(long bytes) {
        if (cancelled) {
            throw new CancellationException("the conversion was cancelled");
        }
        done += bytes;
        progress.converted(done, Math.max(done, total));
    }
}
