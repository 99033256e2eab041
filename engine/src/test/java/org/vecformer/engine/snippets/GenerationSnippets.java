package org.vecformer.engine.snippets;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.constraint.Constraint;
import org.vecformer.engine.constraint.Vocabulary;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.task.TextGenerator;

/** Code of the documentation: texts that a GPT writes. */
final class GenerationSnippets {

    private GenerationSnippets() {
    }

    static void generate(Gpt model, PrintStream out) throws IOException {
        // @start region="generate"
        try (TextGenerator generator = TextGenerator.open(model)) {
            GenerationOptions options = GenerationOptions.of(model).withMaxNewTokens(40);
            out.println(generator.generate("Once upon a time", options, TokenListener.NONE).text());
        }
        // @end
    }

    static GenerationOptions options() {
        // @start region="options"
        GenerationOptions options = GenerationOptions.defaults()
                .withMaxNewTokens(60)
                .withStrategy(DecodingStrategy.random(7))
                .withSampling(s -> s.temperature(0.8).topK(40).repetitionPenalty(1.1))
                .withStopTexts("\n\n");
        // @end
        return options;
    }

    static Sampling sampling() {
        // @start region="sampling"
        Sampling sampling = Sampling.none().temperature(0.8).topK(40).repetitionPenalty(1.1);
        // @end
        return sampling;
    }

    static FinishReason listen(TextGenerator generator, GenerationOptions options, PrintStream out) {
        // @start region="listen"
        GenerationResult result = generator.generate("Once upon a time", options, new TokenListener() {
            @Override
            public void token(GeneratedToken token) {
                out.print(token.text());
            }

            @Override
            public void finished(TextEnd end) {
                out.println(end.text());
            }
        });
        // @end
        return result.finishReason();
    }

    static void stream(TextGenerator generator, GenerationOptions options, PrintStream out) {
        // @start region="stream"
        try (Stream<TextPiece> pieces = generator.stream("Once upon a time", options)) {
            pieces.forEach(piece -> out.print(piece.text()));
        }
        // @end
    }

    static CompletableFuture<FinishReason> publish(TextGenerator generator, GenerationOptions options,
            PrintStream out) {
        // @start region="publish"
        CompletableFuture<FinishReason> finished = new CompletableFuture<>();
        generator.publish("Once upon a time", options).subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                this.subscription = subscription;
                subscription.request(1);
            }

            @Override
            public void onNext(TextPiece piece) {
                out.print(piece.text());
                if (piece instanceof TextEnd end) {
                    finished.complete(end.reason());
                }
                subscription.request(1); // for the next one, when this one has been dealt with
            }

            @Override
            public void onError(Throwable failure) {
                finished.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                out.println();
            }
        });
        // @end
        return finished;
    }

    static List<String> batch(TextGenerator generator, Gpt model, GenerationOptions options) throws IOException {
        // @start region="batch"
        List<int[]> prompts = List.of(model.tokenizer().ids("the man"), model.tokenizer().ids("in the city"));
        List<String> texts = generator.generateAll(prompts, options, TokenListener.NONE).stream()
                .map(GenerationResult::text).toList();
        // @end
        return texts;
    }

    static FinishReason cancel(TextGenerator generator, GenerationOptions options, PrintStream out) {
        // @start region="cancel"
        Cancellation cancellation = Cancellation.after(Duration.ofSeconds(30));
        // On any other thread, at any time, before the call begins too: cancellation.cancel()
        GenerationResult result = generator.generate("Once upon a time", options, TokenListener.NONE, cancellation);
        switch (result.finishReason()) {
            case TIME, CANCELLED -> out.println(result.text() + " ...");
            default -> out.println(result.text());
        }
        // @end
        return result.finishReason();
    }

    static String constrain(Gpt model, TextGenerator generator) throws IOException {
        // @start region="constrain"
        Vocabulary vocabulary = Vocabulary.of(model.tokenizer());
        Constraint constraint = Constraint.regex("(yes|no), \\d{1,3}%", vocabulary);
        GenerationOptions options = GenerationOptions.defaults()
                .withSampling(sampling -> sampling.constraint(constraint.sampler()));
        String text = generator.generate("Is it so?", options, TokenListener.NONE).text();
        // @end
        return text;
    }

    static void schedule(Gpt model, PrintStream out) throws IOException, InterruptedException {
        // @start region="schedule"
        try (Scheduler scheduler = Scheduler.open(model)) {
            // On any number of threads, virtual ones too:
            GenerationOptions options = GenerationOptions.of(model).withMaxNewTokens(40);
            out.println(scheduler.generate("Once upon a time", options).text());
        }
        // @end
    }
}
