package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.vecformer.engine.generation.GenerationOptions;
import picocli.CommandLine.Option;

/** What is shown of a continuation. */
@Section("What is shown")
final class ShowOptions {
    private static final int ALTERNATIVES = 10;

    @Option(names = "--echo", description = "write the prompt, too")
    boolean echo;

    @Option(names = "--logprobs", paramLabel = "N", description = "for each token its log-probability, by the model itself and before the options about drawing, and the N most likely ones: in the JSON result, in --html, else as a table behind the text")
    Integer logprobs;

    @Option(names = "--show-probabilities", description = "colour each token by its probability; where standard output is no terminal, or NO_COLOR is set, write it behind the token instead: word[0.93]")
    boolean probabilities;

    @Option(names = "--html", paramLabel = "FILE", description = "write a page that shows each token's probability and its "
            + ALTERNATIVES + " (or --logprobs) best alternatives, too")
    Path html;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check(OutputOptions output) throws IOException {
        Values.atLeast(0, "--logprobs", logprobs);
        if (probabilities && (output.json || output.jsonl)) {
            throw new UsageException(
                    "--show-probabilities colours a text; with --json and --jsonl, --logprobs 0 tells the"
                            + " same in numbers");
        }
        if (html != null && output.jsonl) {
            throw new UsageException("--html writes a page about one prompt; --jsonl does not go with it");
        }
        if (html != null) {
            OutputFile.check(html);
        }
    }

    /** Whether a table of tokens belongs behind the text. */
    boolean table() {
        return logprobs != null && html == null;
    }

    GenerationOptions apply(GenerationOptions options) {
        if (logprobs != null) {
            return options.withLogprobs(logprobs);
        }
        return html != null
                ? options.withLogprobs(ALTERNATIVES)
                : probabilities ? options.withLogprobs(0) : options;
    }
}
