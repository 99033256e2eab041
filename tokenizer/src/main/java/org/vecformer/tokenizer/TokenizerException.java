package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Tokenizer files that are missing, damaged, contradictory or of a kind that is not supported. The message is one
 * sentence that names the file, the field and its value, and what was expected.
 */
public class TokenizerException extends IOException {
    private static final long serialVersionUID = 1L;

    /** An exception with the sentence to show. */
    public TokenizerException(String message) {
        super(message);
    }

    /** An exception with the sentence to show and what led to it. */
    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }

    TokenizerException(Path file, String message) {
        super(file + ": " + message);
    }
}
