package org.vecformer.cli;

import java.io.IOException;

/** Standard output does not take what is written to it. */
final class OutputException extends IOException {
    private static final long serialVersionUID = 1L;

    OutputException(IOException cause) {
        super("cannot write to standard output: " + cause.getMessage(), cause);
    }

    /** Whether the reader has gone ({@code gpt2 ... | head}): it has what it wanted, and that is no failure. */
    boolean readerHasGone() {
        String message = String.valueOf(getCause().getMessage());
        return message.contains("Broken pipe") || message.contains("pipe is being closed")
                || message.contains("pipe has been ended");
    }
}
