package org.vecformer.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.task.TextTooLongException;

/** Names that LangChain4j has for what the engine throws, so that whoever tries again by its rules does the right thing. */
final class Failures {

    private Failures() {
    }

    /** What to throw instead: LangChain4j's exception with this one as its cause, or this one if there is none. */
    static RuntimeException named(RuntimeException failure) {
        return switch (failure) {
            case QueueFullException full -> new RateLimitException(full);
            case PromptTooLongException tooLong -> new InvalidRequestException(tooLong);
            case TextTooLongException tooLong -> new InvalidRequestException(tooLong);
            case CacheFullException tooMuch -> new InvalidRequestException(tooMuch);
            default -> failure;
        };
    }
}
