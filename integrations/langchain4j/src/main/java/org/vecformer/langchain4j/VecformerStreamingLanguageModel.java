package org.vecformer.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.language.StreamingLanguageModel;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.Scheduler;

/**
 * Continues texts with a GPT-2 or an OpenAI GPT and tells them as they are written, for many threads at once: see
 * {@link Scheduler}.
 *
 * <pre>{@code
 * try (Gpt gpt = Gpt.load(Path.of("path/to/gpt2")); Scheduler scheduler = Scheduler.open(gpt)) {
 *     StreamingLanguageModel model = VecformerStreamingLanguageModel.builder()
 *             .scheduler(scheduler)
 *             .options(GenerationOptions.of(gpt).withMaxNewTokens(60))
 *             .build();
 *     model.generate("Once upon a time", handler);
 * }
 * }</pre>
 *
 * Texts, numbers and finish reasons are those of a {@link VecformerLanguageModel} with the same scheduler and options. As
 * some tokens are half a character, and others may be the beginning of a stop text, a piece may have the text of several
 * tokens; empty pieces are not told.
 * <p>
 * Thread-safe. Owns nothing: the scheduler, which other models may use too, belongs to the caller, who closes it.
 */
public final class VecformerStreamingLanguageModel implements StreamingLanguageModel {

    private final Generations generations;

    private VecformerStreamingLanguageModel(Generations generations) {
        this.generations = generations;
    }

    /** Begins with {@link Builder#scheduler}, which is needed. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Begins to continue a prompt, and returns at once; an empty prompt begins with the model's begin token.
     * <p>
     * The handler is told on another thread, a virtual one, of one thing after the other; it may take its time, which holds
     * up no other text. What {@link VecformerLanguageModel#generate} throws, it gets as its error; if that is known at once,
     * on this thread. What it throws itself ends the text, and is then told as its error; so it can end a text that is not
     * wanted any more.
     */
    @Override
    public void generate(String prompt, StreamingResponseHandler<String> handler) {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(handler, "handler");
        Scheduler scheduler = generations.scheduler();
        try {
            int[] ids = scheduler.prompts().ids(prompt);
            int[] fitting = scheduler.prompts().fit(ids, generations.options());
            scheduler.publish(fitting, generations.options(), new Cancellation())
                    .subscribe(new Telling(handler, fitting.length));
        } catch (RuntimeException e) {
            handler.onError(Failures.named(e));
        }
    }

    /** What a {@link VecformerStreamingLanguageModel} is made of. */
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

        /** As {@link VecformerLanguageModel.Builder#options}. */
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
        public VecformerStreamingLanguageModel build() {
            return new VecformerStreamingLanguageModel(Generations.of(scheduler, options));
        }
    }
}
