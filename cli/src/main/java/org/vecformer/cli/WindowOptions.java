package org.vecformer.cli;

import org.vecformer.engine.task.ScoringOptions;
import picocli.CommandLine.Option;

/** How a long text is scored. */
final class WindowOptions {
    @Option(names = "--window", paramLabel = "N", description = "tokens that the model sees at once (default: its context length)")
    Integer window;

    @Option(names = "--stride", paramLabel = "N", description = "how far each window of a longer text lies behind the one before; every token is scored once, with at least window - stride "
            + "tokens before it (default: half the window)")
    Integer stride;

    @Option(names = "--bos", description = "put the model's begin token before the text, so that its first token is scored, too")
    boolean begin;

    boolean windowsGiven() {
        return window != null || stride != null;
    }

    boolean given() {
        return windowsGiven() || begin;
    }

    /** @throws UsageException if the numbers cannot be */
    ScoringOptions options() {
        Values.atLeast(2, "--window", window);
        Values.atLeast(1, "--stride", stride);
        if (window != null && stride != null && stride > window) {
            throw new UsageException("--stride is " + stride + "; expected at most --window, " + window);
        }
        return new ScoringOptions(window == null ? 0 : window, stride == null ? 0 : stride, begin);
    }
}
