package org.vecformer.engine.model;

/**
 * How much memory an encoder session may take.
 *
 * @param maxBatchTokens the most tokens of one run; a single sequence may have more, up to the model's context length
 */
public record EncoderOptions(int maxBatchTokens) {

    private static final int DEFAULT_BATCH = 1024;

    public EncoderOptions {
        if (maxBatchTokens < 1) {
            throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens + "; expected at least 1");
        }
    }

    /** Runs of up to 1024 tokens. */
    public static EncoderOptions defaults() {
        return new EncoderOptions(DEFAULT_BATCH);
    }

    public EncoderOptions withMaxBatchTokens(int maxBatchTokens) {
        return new EncoderOptions(maxBatchTokens);
    }
}
