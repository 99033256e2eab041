package org.vecformer.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.Scheduler;

/** What both language models have in common: a scheduler, how to continue texts, and how LangChain4j is told. */
record Generations(Scheduler scheduler, GenerationOptions options) {

    /**
     * @param scheduler null is refused
     * @param options   null for what the model's authors recommend
     */
    static Generations of(Scheduler scheduler, GenerationOptions options) {
        if (scheduler == null || scheduler.prompts().tokenizer() == null) {
            throw new IllegalArgumentException(
                    "there is no " + (scheduler == null ? "scheduler" : "tokenizer in the scheduler")
                            + "; expected one that continues texts");
        }
        try {
            return new Generations(scheduler,
                    options != null ? options : GenerationOptions.of(scheduler.prompts().model()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Generations {
        if (options.returnSequences() > 1) {
            throw new UnsupportedFeatureException("the options ask for " + options.returnSequences()
                    + " continuations of a prompt; a LangChain4j response has one");
        }
        if (options.logprobs().isPresent()) {
            throw new UnsupportedFeatureException(
                    "the options ask for log-probabilities; a LangChain4j response has no place for them");
        }
    }

    static Response<String> response(String text, int promptTokens, int newTokens,
            org.vecformer.engine.generation.FinishReason reason) {
        return Response.from(text, new TokenUsage(promptTokens, newTokens), switch (reason) {
            case EOS, STOP -> FinishReason.STOP;
            case LENGTH -> FinishReason.LENGTH;
            case TIME, CANCELLED -> FinishReason.OTHER;
        });
    }
}
