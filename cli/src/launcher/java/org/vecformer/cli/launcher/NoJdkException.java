package org.vecformer.cli.launcher;

/** There is no JDK to run in. The message is the user's. */
final class NoJdkException extends Exception {
    private static final long serialVersionUID = 1L;

    NoJdkException(String message) {
        super(message);
    }
}
