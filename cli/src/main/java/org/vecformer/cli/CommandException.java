package org.vecformer.cli;

import java.io.IOException;

/** The command cannot be carried out; exit status 1. The message is the user's. */
final class CommandException extends IOException {
    private static final long serialVersionUID = 1L;

    CommandException(String message) {
        super(message);
    }

    CommandException(String message, Throwable cause) {
        super(message, cause);
    }
}
