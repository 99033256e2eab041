package org.vecformer.engine.task;

import java.util.OptionalInt;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;
import org.vecformer.tokenizer.Truncation;

/** Makes sequences that a model can take of what users give. */
final class InputEncoder {

    private final Tokenizer tokenizer;
    private final int contextLength;

    /**
     * @param input     what the model gets
     * @param encoding  where it comes from; null for ids
     * @param truncated whether the text was longer
     */
    record Encoded(EncoderInput input, Encoding encoding, boolean truncated) {}

    InputEncoder(Bert model, Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        contextLength = model.config().contextLength();
    }

    /** The tokenizer, which a task on texts needs. */
    Tokenizer required() {
        if (tokenizer == null) {
            throw new IllegalStateException("this task has no tokenizer: give token ids instead of text");
        }
        return tokenizer;
    }

    /**
     * Most tokens of a sequence.
     *
     * @param asked what the user asks for; 0 for what tokenizer and model allow
     * @throws IllegalArgumentException if the model's context is shorter than asked for
     */
    int limit(int asked) {
        if (asked > contextLength) {
            throw new IllegalArgumentException(
                    "a maximum length of " + asked + " tokens; the model's context length is "
                            + contextLength);
        }
        if (asked > 0) {
            return asked;
        }
        return tokenizer == null
                ? contextLength
                : Math.min(contextLength, tokenizer.maximumLength().orElse(contextLength));
    }

    /** Whether a token stands around texts or fills up a batch, and is not in a text: [CLS], [SEP], [PAD]. */
    boolean isFrame(int id) {
        return tokenizer != null && (is(tokenizer.classification(), id) || is(tokenizer.separator(), id)
                || is(tokenizer.padding(), id));
    }

    private static boolean is(OptionalInt token, int id) {
        return token.isPresent() && token.getAsInt() == id;
    }

    /** The input, shortened from its end if it is longer than the limit; of a pair the longer text goes first. */
    Encoded truncated(TaskInput input, int limit) {
        if (input.ids() != null) {
            return new Encoded(input.ids(), null, false);
        }
        Encoding encoding = required().encode(input.text(), input.pair(),
                EncodingOptions.defaults().withMaxLength(limit).withTruncation(Truncation.LONGEST_FIRST));
        return new Encoded(EncoderInput.of(encoding), encoding, encoding.truncated());
    }

    /**
     * The whole input.
     *
     * @throws IllegalArgumentException if it is longer than the model's context
     */
    Encoded whole(TaskInput input) {
        if (input.ids() != null) {
            return new Encoded(input.ids(), null, false);
        }
        Encoding encoding = required().encode(input.text(), input.pair(), EncodingOptions.defaults());
        if (encoding.size() > contextLength) {
            throw new IllegalArgumentException("the text has " + encoding.size()
                    + " tokens with special ones; the model's context length is " + contextLength);
        }
        return new Encoded(EncoderInput.of(encoding), encoding, false);
    }
}
