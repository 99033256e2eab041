package org.vecformer.tokenizer;

import java.util.Objects;

/**
 * How a text becomes an {@link Encoding}. All lengths count ids, those of special tokens included.
 *
 * @param maxLength the most ids of an encoding; 0 for no limit
 * @param truncation what is cut to keep within {@code maxLength}
 * @param stride how many ids of a text each of {@link Tokenizer#windows} shares with the one before it
 * @param padTo an encoding with fewer ids is filled up to this length; 0 for no padding
 * @param padToMultipleOf {@code padTo}, or without it the length of the encoding, is rounded up to a multiple of this;
 *        0 for no rounding
 * @param specialTokens whether the special tokens of the model ({@code [CLS]} ... {@code [SEP]}) are put around the text
 */
public record EncodingOptions(int maxLength, Truncation truncation, int stride, int padTo, int padToMultipleOf,
        boolean specialTokens) {
    private static final EncodingOptions DEFAULTS = new EncodingOptions(0, Truncation.LONGEST_FIRST, 0, 0, 0, true);

    /** @throws IllegalArgumentException if a number is negative */
    public EncodingOptions {
        Objects.requireNonNull(truncation, "truncation");
        check("maxLength", maxLength);
        check("stride", stride);
        check("padTo", padTo);
        check("padToMultipleOf", padToMultipleOf);
    }

    /** No limit and no padding, with special tokens; {@link Truncation#LONGEST_FIRST} once a limit is set. */
    public static EncodingOptions defaults() {
        return DEFAULTS;
    }

    /** With another {@link #maxLength()}. */
    public EncodingOptions withMaxLength(int newMaxLength) {
        return new EncodingOptions(newMaxLength, truncation, stride, padTo, padToMultipleOf, specialTokens);
    }

    /** With another {@link #truncation()}. */
    public EncodingOptions withTruncation(Truncation newTruncation) {
        return new EncodingOptions(maxLength, newTruncation, stride, padTo, padToMultipleOf, specialTokens);
    }

    /** With another {@link #stride()}. */
    public EncodingOptions withStride(int newStride) {
        return new EncodingOptions(maxLength, truncation, newStride, padTo, padToMultipleOf, specialTokens);
    }

    /** With another {@link #padTo()}. */
    public EncodingOptions withPadTo(int newPadTo) {
        return new EncodingOptions(maxLength, truncation, stride, newPadTo, padToMultipleOf, specialTokens);
    }

    /** With another {@link #padToMultipleOf()}. */
    public EncodingOptions withPadToMultipleOf(int newPadToMultipleOf) {
        return new EncodingOptions(maxLength, truncation, stride, padTo, newPadToMultipleOf, specialTokens);
    }

    /** With or without {@link #specialTokens()}. */
    public EncodingOptions withSpecialTokens(boolean newSpecialTokens) {
        return new EncodingOptions(maxLength, truncation, stride, padTo, padToMultipleOf, newSpecialTokens);
    }

    boolean pads() {
        return padTo > 0 || padToMultipleOf > 0;
    }

    /** The length an encoding of {@code size} ids is to be filled up to; {@code size} if it is long enough. */
    int paddedLength(int size) {
        int length = padTo > 0 ? padTo : size;
        if (padToMultipleOf > 0) {
            length = Math.multiplyExact(Math.ceilDiv(length, padToMultipleOf), padToMultipleOf);
        }
        return Math.max(size, length);
    }

    private static void check(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " is " + value + ", expected 0 or more");
        }
    }
}
