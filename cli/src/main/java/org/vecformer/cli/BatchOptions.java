package org.vecformer.cli;

import org.vecformer.engine.model.EncoderOptions;
import picocli.CommandLine.Option;

/** How inputs are computed together. */
final class BatchOptions {
    @Option(names = "--batch-tokens", paramLabel = "N", defaultValue = "1024", description = "inputs are computed together as long as they have at most so many tokens; the results are the same (default: ${DEFAULT-VALUE})")
    int tokens;

    void check() {
        Values.atLeast(1, "--batch-tokens", tokens);
    }

    /** As tasks take it. */
    EncoderOptions encoder() {
        return new EncoderOptions(tokens);
    }
}
