package org.vecformer.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.input.Prompt;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.TextGenerator;

/**
 * The contracts of {@link dev.langchain4j.model.language.LanguageModel} and {@link
 * dev.langchain4j.model.language.StreamingLanguageModel} as their javadoc and that of {@link StreamingResponseHandler} have
 * them: langchain4j-core ships contracts of chat models to extend, and none of these, whose tests are of an echo. And: what
 * they write is what a {@link TextGenerator} writes, to the bit.
 */
class VecformerLanguageModelTest {

    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(12);
    private static final String PROMPT = "Once upon a time";

    private static Gpt gpt;
    private static Scheduler scheduler;

    @BeforeAll
    static void load() throws IOException {
        gpt = Gpt.load(Storyteller.DIRECTORY);
        scheduler = Scheduler.open(gpt);
    }

    @AfterAll
    static void close() {
        scheduler.close();
        gpt.close();
    }

    private static VecformerLanguageModel model(GenerationOptions options) {
        return VecformerLanguageModel.builder().scheduler(scheduler).options(options).build();
    }

    private static VecformerStreamingLanguageModel streaming(GenerationOptions options) {
        return VecformerStreamingLanguageModel.builder().scheduler(scheduler).options(options).build();
    }

    private static GenerationResult alone(String prompt, GenerationOptions options) throws IOException {
        try (TextGenerator generator = TextGenerator.open(gpt, gpt.tokenizer())) {
            return generator.generate(prompt, options, TokenListener.NONE);
        }
    }

    /** What a handler was told. */
    private static class Told implements StreamingResponseHandler<String> {
        final List<String> pieces = new ArrayList<>();
        final List<Thread> threads = new ArrayList<>();
        final CompletableFuture<Response<String>> end = new CompletableFuture<>();

        @Override
        public void onNext(String token) {
            assertThat(end).isNotDone();
            pieces.add(token);
            threads.add(Thread.currentThread());
        }

        @Override
        public void onComplete(Response<String> response) {
            assertThat(end.complete(response)).isTrue();
        }

        @Override
        public void onError(Throwable error) {
            assertThat(end.completeExceptionally(error)).isTrue();
        }

        Response<String> response() throws Exception {
            return end.get(1, TimeUnit.MINUTES);
        }

        Throwable error() throws Exception {
            try {
                throw new AssertionError("there is no error, but " + end.get(1, TimeUnit.MINUTES));
            } catch (ExecutionException e) {
                return e.getCause();
            }
        }
    }

    private static Told tell(String prompt, GenerationOptions options) throws Exception {
        Told told = new Told();
        streaming(options).generate(prompt, told);
        told.end.exceptionally(_ -> null).get(1, TimeUnit.MINUTES);
        return told;
    }

    /** Both models, with these options, give what a generator gives, and this reason. */
    private static void check(String prompt, GenerationOptions options, FinishReason reason) throws Exception {
        GenerationResult expected = alone(prompt, options);
        Response<String> response = Response.from(expected.text(),
                new TokenUsage(expected.promptIds().length, expected.ids().length), reason);
        assertThat(model(options).generate(prompt)).isEqualTo(response);
        Told told = tell(prompt, options);
        assertThat(told.response()).isEqualTo(response);
        assertThat(String.join("", told.pieces)).isEqualTo(response.content());
        assertThat(told.pieces).doesNotContain("");
    }

    @Test
    void textsAreTheEngines() throws Exception {
        check(PROMPT, GREEDY, FinishReason.LENGTH);
        check("Tom said: \u201cIt's a caf\u00e9 \ud83d\ude00", GREEDY.withSeed(3), FinishReason.LENGTH);
        check("", GREEDY, FinishReason.LENGTH);
        assertThat(tell(PROMPT, GREEDY).pieces).hasSizeGreaterThan(3);
        assertThat(model(GREEDY).generate(Prompt.from(PROMPT))).isEqualTo(model(GREEDY).generate(PROMPT));
    }

    @Test
    void endTokensAndStopTextsAreStops() throws Exception {
        GenerationResult greedy = alone(PROMPT, GREEDY);
        check(PROMPT, GREEDY.withEndTokens(greedy.ids()[7]), FinishReason.STOP);
        String text = greedy.text();
        check(PROMPT, GREEDY.withStopTexts(text.substring(text.length() / 2, text.length() / 2 + 4)),
                FinishReason.STOP);
        // What may be the beginning of a stop text is held back, and told in the end.
        check(PROMPT, GREEDY.withStopTexts(text.substring(text.length() - 4) + "\u00a7"), FinishReason.LENGTH);
    }

    @Test
    void aTextWhoseTimeIsOverHasWhatWasWritten() throws Exception {
        GenerationOptions options = GREEDY
                .withStopping(GREEDY.stopping().withMaxTime(Duration.ofNanos(1)));
        Response<String> none = Response.from("", new TokenUsage(gpt.tokenizer().ids(PROMPT).length, 0),
                FinishReason.OTHER);
        assertThat(model(options).generate(PROMPT)).isEqualTo(none);
        assertThat(tell(PROMPT, options).response()).isEqualTo(none);
    }

    @Test
    void aPromptMayBeTruncated() throws Exception {
        String prompt = "Once upon a time ".repeat(200);
        check(prompt, GREEDY.withTruncatePrompt(true), FinishReason.LENGTH);
        assertThatThrownBy(() -> model(GREEDY).generate(prompt)).isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("512");
        assertThat(tell(prompt, GREEDY).error()).isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void optionsAreTheModelsUnlessGiven() throws IOException {
        // Sampling steps are functions, which are equal by no other way.
        assertThat(Generations.of(scheduler, null).options()).hasToString(GenerationOptions.of(gpt).toString());
    }

    @Test
    void refusesWhatAResponseHasNoPlaceFor() {
        for (GenerationOptions options : List.of(GREEDY.withLogprobs(0), GREEDY.withSeed(1).withReturnSequences(2))) {
            assertThatThrownBy(() -> model(options)).isInstanceOf(UnsupportedFeatureException.class);
            assertThatThrownBy(() -> streaming(options)).isInstanceOf(UnsupportedFeatureException.class);
        }
    }

    @Test
    void refusesWhatASchedulerDoesNotHave() throws Exception {
        GenerationOptions beams = GREEDY.withStrategy(new DecodingStrategy.BeamSearch(2));
        assertThatThrownBy(() -> model(beams).generate(PROMPT)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beams");
        assertThat(tell(PROMPT, beams).error()).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beams");
        assertThatThrownBy(() -> VecformerLanguageModel.builder().build()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> VecformerStreamingLanguageModel.builder().build())
                .isInstanceOf(IllegalArgumentException.class);
        try (Scheduler speechless = Scheduler.open(gpt, null, SchedulerOptions.defaults())) {
            assertThatThrownBy(() -> VecformerLanguageModel.builder().scheduler(speechless).build())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("tokenizer");
        }
    }

    @Test
    void manyThreadsGetTheirOwn() throws Exception {
        List<String> prompts = List.of(PROMPT, "Lily and Tom", "The big dog", "One day, a girl went to the park and",
                "");
        List<Response<String>> expected = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            GenerationResult one = alone(prompts.get(i % 5), GREEDY.withSeed(i));
            expected.add(Response.from(one.text(), new TokenUsage(one.promptIds().length, one.ids().length),
                    FinishReason.LENGTH));
        }
        List<List<Response<String>>> responses = Together.run(16, thread -> IntStream.range(thread, thread + 3)
                .map(i -> i % 16).mapToObj(i -> {
                    GenerationOptions options = GREEDY.withSeed(i);
                    if (thread % 2 == 0) {
                        return model(options).generate(prompts.get(i % 5));
                    }
                    Told told = new Told();
                    streaming(options).generate(prompts.get(i % 5), told);
                    return told.end.join();
                }).toList());
        for (int thread = 0; thread < 16; thread++) {
            for (int i = 0; i < 3; i++) {
                assertThat(responses.get(thread).get(i)).isEqualTo(expected.get((thread + i) % 16));
            }
        }
    }

    @Test
    void aFullQueueIsARateLimit() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Scheduler small = Scheduler.open(gpt, gpt.tokenizer(), SchedulerOptions.defaults().withMaxQueued(1))) {
            VecformerLanguageModel model = VecformerLanguageModel.builder().scheduler(small).options(GREEDY).build();
            Told told = new Told();
            try {
                small.submit(PROMPT, GREEDY, _ -> {
                    begun.countDown();
                    await(goOn);
                }, new Cancellation());
                await(begun);
                small.submit(PROMPT, GREEDY, TokenListener.NONE, new Cancellation());
                assertThatThrownBy(() -> model.generate(PROMPT)).isInstanceOf(RateLimitException.class);
                VecformerStreamingLanguageModel.builder().scheduler(small).options(GREEDY).build()
                        .generate(PROMPT, told);
                assertThat(told.error()).isInstanceOf(RateLimitException.class);
            } finally {
                goOn.countDown();
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anInterruptedThreadIsToldSo() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> model(GREEDY).generate(PROMPT)).isInstanceOf(CancellationException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void aClosedSchedulerIsSaidSo() throws Exception {
        Scheduler closed = Scheduler.open(gpt);
        closed.close();
        assertThatThrownBy(() -> VecformerLanguageModel.builder().scheduler(closed).options(GREEDY).build()
                .generate(PROMPT)).isInstanceOf(ClosedException.class);
        Told told = new Told();
        VecformerStreamingLanguageModel.builder().scheduler(closed).options(GREEDY).build().generate(PROMPT, told);
        assertThat(told.error()).isInstanceOf(ClosedException.class);
    }

    @Test
    void aHandlerIsToldOnOneThreadThatIsNotTheCallersOrTheSchedulers() throws Exception {
        Told told = tell(PROMPT, GREEDY);
        assertThat(told.threads.stream().distinct()).hasSize(1).doesNotContain(Thread.currentThread())
                .allMatch(Thread::isVirtual);
    }

    @Test
    void whatAHandlerThrowsEndsItsText() throws Exception {
        IllegalStateException enough = new IllegalStateException("enough");
        AtomicInteger calls = new AtomicInteger();
        Told told = new Told() {
            @Override
            public void onNext(String token) {
                calls.incrementAndGet();
                throw enough;
            }
        };
        streaming(GREEDY.withMaxNewTokens(400)).generate(PROMPT, told);
        assertThat(told.error()).isSameAs(enough);
        while (scheduler.load().running() > 0) {
            Thread.sleep(5);
        }
        assertThat(calls).hasValue(1);
        Told atTheEnd = new Told() {
            @Override
            public void onComplete(Response<String> response) {
                throw enough;
            }
        };
        streaming(GREEDY).generate(PROMPT, atTheEnd);
        assertThat(atTheEnd.error()).isSameAs(enough);
    }
}
