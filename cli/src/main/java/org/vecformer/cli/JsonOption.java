package org.vecformer.cli;

import picocli.CommandLine.Option;

/** How the one result of a command is written. */
final class JsonOption {
    @Option(names = "--json", description = "write the result as JSON")
    boolean json;
}
