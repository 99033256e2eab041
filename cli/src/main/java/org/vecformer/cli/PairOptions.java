package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A text, with a second one perhaps, or ids. */
final class PairOptions {
    @Mixin
    TextOptions first = new TextOptions();

    @Option(names = "--pair", paramLabel = "TEXT", description = "a second text, which goes with the first; - for standard input, @file for a file")
    String pair;

    /** @throws UsageException if there is not exactly one of lines, text and ids */
    void check(boolean lines) {
        first.check(lines);
        if (pair != null && first.text == null) {
            throw new UsageException("--pair goes with TEXT");
        }
        if ("-".equals(first.text) && "-".equals(pair)) {
            throw new UsageException("only one of two texts can come from standard input");
        }
    }

    /** Whether there is something that only a BERT takes. */
    boolean forBert() {
        return pair != null || first.ids.attentionMask != null;
    }

    /** What was given; null for the lines of standard input. */
    Input read(InputStream in) throws IOException {
        Input input = first.read(in);
        return input instanceof Input.Text text && pair != null
                ? new Input.Text(text.text(), Texts.resolve(pair, in))
                : input;
    }
}
