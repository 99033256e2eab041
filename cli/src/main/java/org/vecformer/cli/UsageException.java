package org.vecformer.cli;

/** The command line asks for something that does not go together; exit status 2. The message is the user's. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
