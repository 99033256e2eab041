package org.vecformer.cli.launcher;

/** An argument of the command line is not readable text. The message is the user's. */
final class BadArgumentException extends Exception {
    private static final long serialVersionUID = 1L;

    BadArgumentException(String message) {
        super(message);
    }
}
