package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A text or ids, as a GPT takes them. */
final class GptTextOptions {
    @Parameters(paramLabel = "TEXT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String text;

    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a text, such as 464,2068,7586")
    String ids;

    /** @throws UsageException if there is not exactly one of lines, text and ids */
    void check(boolean lines) {
        if (lines && (text != null || ids != null)) {
            throw new UsageException("--jsonl reads its inputs from standard input; TEXT and --ids do not go with it");
        }
        if (!lines && text == null && ids == null) {
            throw new UsageException("TEXT or --ids is missing");
        }
        if (text != null && ids != null) {
            throw new UsageException("give TEXT or --ids, not both");
        }
    }

    /** What was given; null for the lines of standard input. */
    Input read(InputStream in) throws IOException {
        return ids != null ? ids(ids, in) : text == null ? null : text(text, in);
    }

    static Input text(String argument, InputStream in) throws IOException {
        return new Input.Text(Texts.resolve(argument, in), null);
    }

    static Input ids(String argument, InputStream in) throws IOException {
        return new Input.Ids(Texts.ids(Texts.resolve(argument, in)), null, null);
    }
}
