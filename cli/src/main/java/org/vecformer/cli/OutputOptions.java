package org.vecformer.cli;

import picocli.CommandLine.Option;

/** How results are written. */
final class OutputOptions {
    @Option(names = "--json", description = "write the result as one line of JSON")
    boolean json;

    @Option(names = "--jsonl", description = "read one JSON object a line from standard input and write one result a line, in order")
    boolean jsonl;

    void check() {
        if (json && jsonl) {
            throw new UsageException("--json is for one input, --jsonl for many; give one of them");
        }
    }
}
