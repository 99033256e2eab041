package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A text or ids. */
final class TextOptions {
    @Parameters(paramLabel = "TEXT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String text;

    @Mixin
    IdOptions ids = new IdOptions();

    /** @throws UsageException if there is not exactly one of lines, text and ids */
    void check(boolean lines) {
        ids.check(lines, text != null);
    }

    /** What was given; null for the lines of standard input. */
    Input read(InputStream in) throws IOException {
        if (ids.given()) {
            return ids.read(in);
        }
        return text == null ? null : new Input.Text(Texts.resolve(text, in), null);
    }
}
