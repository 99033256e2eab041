package org.vecformer.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.TokenCountEstimator;
import java.util.Objects;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Counts tokens as a model's tokenizer makes them: not an estimate, but the number.
 *
 * <pre>{@code
 * TokenCountEstimator estimator = new VecformerTokenCountEstimator(model.tokenizer());
 * }</pre>
 *
 * A text counts with the special tokens that the tokenizer puts around it, so that the number is what the model will
 * see: a BERT's has two, a GPT's none.
 * <p>
 * A message counts as its text alone. GPT-2, OpenAI GPT and BERT have no chat template, and therefore no tokens for
 * roles, names or the ends of turns; who writes such things into a prompt, counts the prompt as a text. Messages
 * together count as the sum of each. The thinking of an {@link AiMessage} is not part of a conversation and does not
 * count.
 * <p>
 * Immutable and thread-safe. A count that passes {@link Integer#MAX_VALUE} is an {@link ArithmeticException}.
 */
public final class VecformerTokenCountEstimator implements TokenCountEstimator {

    private final Tokenizer tokenizer;

    /** @param tokenizer the model's */
    public VecformerTokenCountEstimator(Tokenizer tokenizer) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
    }

    @Override
    public int estimateTokenCountInText(String text) {
        return tokenizer.ids(Objects.requireNonNull(text, "text")).length;
    }

    /**
     * The number of its text's tokens; that of a message without text is 0.
     *
     * @throws UnsupportedFeatureException if it is not text: contents of other kinds, tool calls and their results, custom
     *                                     messages
     */
    @Override
    public int estimateTokenCountInMessage(ChatMessage message) {
        return switch (message) {
            case SystemMessage system -> estimateTokenCountInText(system.text());
            case UserMessage user -> {
                int count = 0;
                for (Content content : user.contents()) {
                    count = Math.addExact(count, estimateTokenCountInText(text(content)));
                }
                yield count;
            }
            case AiMessage ai when ai.hasToolExecutionRequests() -> throw new UnsupportedFeatureException(
                    "the message calls tools, which these models do not know; expected text");
            case AiMessage ai -> ai.text() == null ? 0 : estimateTokenCountInText(ai.text());
            default -> throw new UnsupportedFeatureException("a message of the type " + message.type()
                    + " has no tokens for these models; expected SYSTEM, USER or AI");
        };
    }

    @Override
    public int estimateTokenCountInMessages(Iterable<ChatMessage> messages) {
        int count = 0;
        for (ChatMessage message : messages) {
            count = Math.addExact(count, estimateTokenCountInMessage(message));
        }
        return count;
    }

    private static String text(Content content) {
        if (content instanceof TextContent text) {
            return text.text();
        }
        throw new UnsupportedFeatureException(
                "the message has a content of the type " + content.type() + "; expected TEXT");
    }
}
