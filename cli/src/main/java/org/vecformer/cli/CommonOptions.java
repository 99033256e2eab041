package org.vecformer.cli;

import picocli.CommandLine.Option;

/** What every command has. */
final class CommonOptions {
    @Option(names = "--quiet", description = "say nothing but results and errors")
    boolean quiet;

    @Option(names = "--debug", description = "show where an error came from")
    boolean debug;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    boolean help;
}
