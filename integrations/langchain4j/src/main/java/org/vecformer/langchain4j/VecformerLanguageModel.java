package org.vecformer.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.language.LanguageModel;
import dev.langchain4j.model.output.Response;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;

/**
 * Continues texts with a GPT-2 or an OpenAI GPT, for many threads at once: see {@link Scheduler}.
 *
 * <pre>{@code
 * try (Gpt gpt = Gpt.load(Path.of("path/to/gpt2")); Scheduler scheduler = Scheduler.open(gpt)) {
 *     LanguageModel model = VecformerLanguageModel.builder()
 *             .scheduler(scheduler)
 *             .options(GenerationOptions.of(gpt).withMaxNewTokens(60))
 *             .build();
 *     String story = model.generate("Once upon a time").content();
 * }
 * }</pre>
 *
 * The text is the scheduler's, bit by bit if the options have a seed or draw no tokens; without the prompt, which the
 * model continues as it is: these are base models, they follow no instructions. A response has the numbers of tokens,
 * and why the text ends: {@code STOP} for an end token or a stop text, {@code LENGTH} for the options' bound or a full
 * context, {@code OTHER} when {@link org.vecformer.engine.generation.Stopping#maxTime} was over.
 * <p>
 * Thread-safe. Owns nothing: the scheduler, which other models may use too, belongs to the caller, who closes it.
 */
public final class VecformerLanguageModel implements LanguageModel {

    private final Generations generations;

    private VecformerLanguageModel(Generations generations) {
        this.generations = generations;
    }

    /** Begins with {@link Builder#scheduler}, which is needed. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The continuation of a prompt; an empty one begins with the model's begin token. Blocks until it is written.
     *
     * @throws RateLimitException                   if as many requests wait as are allowed to; later there may be room
     * @throws InvalidRequestException              if the prompt leaves no room for a new token, and the options do not
     *                                              truncate it, or it needs more than the whole cache
     * @throws IllegalArgumentException             if the options ask for what a scheduler does not have
     * @throws CancellationException                if the thread is interrupted; it stays so
     * @throws org.vecformer.engine.ClosedException if the scheduler or its model was closed
     */
    @Override
    public Response<String> generate(String prompt) {
        Objects.requireNonNull(prompt, "prompt");
        GenerationResult result;
        try {
            result = generations.scheduler().generate(prompt, generations.options());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException(
                    "the thread was interrupted while it waited for a text")
                    .initCause(e);
        } catch (RuntimeException e) {
            throw Failures.named(e);
        }
        return Generations.response(result.text(), result.promptIds().length, result.ids().length,
                result.finishReason());
    }

    /** What a {@link VecformerLanguageModel} is made of. */
    public static final class Builder {

        private Scheduler scheduler;
        private GenerationOptions options;

        private Builder() {
        }

        /** What writes: with a tokenizer. */
        public Builder scheduler(Scheduler scheduler) {
            this.scheduler = scheduler;
            return this;
        }

        /**
         * How each text is continued; unless given, as the model's authors recommend: {@link GenerationOptions#of}. Most
         * name no bound on the number of tokens, so that a text goes on to an end token or until the context is full.
         */
        public Builder options(GenerationOptions options) {
            this.options = options;
            return this;
        }

        /**
         * @throws IllegalArgumentException    if there is no scheduler, or it has no tokenizer
         * @throws UnsupportedFeatureException if the options ask for several continuations or for log-probabilities, for
         *                                     which a response has no place
         * @throws UncheckedIOException        if the recommendations cannot be read
         */
        public VecformerLanguageModel build() {
            return new VecformerLanguageModel(Generations.of(scheduler, options));
        }
    }
}
