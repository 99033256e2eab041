package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.StopCondition;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;

/** {@link TextGenerator#stream} and {@link TextGenerator#publish}. */
class GenerationStreamTest {

    private static final int[] PROMPT = {72, 101, 108, 108, 111, 33};
    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(40);

    @TempDir
    private Path directory;
    private TinyGpt2 tiny;
    private TextGenerator generator;

    @BeforeEach
    void open() throws IOException {
        tiny = TinyGpt2.open(directory);
        generator = TextGenerator.open(tiny.model());
    }

    @AfterEach
    void close() {
        generator.close();
        assertThat(tiny.engine().memory().caches()).as("bytes of caches that are left").isZero();
        tiny.close();
    }

    /** Options that count the tokens that are written. */
    private static GenerationOptions counting(AtomicInteger written) {
        return GREEDY.withStopping(GREEDY.stopping().withCondition((_, _) -> {
            written.incrementAndGet();
            return false;
        }));
    }

    private static String texts(List<TextPiece> pieces, int sequence) {
        return pieces.stream().filter(piece -> piece.sequence() == sequence).map(TextPiece::text)
                .collect(Collectors.joining());
    }

    private static FinishReason reason(List<TextPiece> pieces) {
        return ((TextEnd) pieces.getLast()).reason();
    }

    @Test
    void piecesAreTheResult() {
        for (GenerationOptions options : List.of(GREEDY, GREEDY.withStopTexts("a", "e"),
                GREEDY.withStrategy(DecodingStrategy.random(5)).withSampling(s -> s.temperature(4))
                        .withReturnSequences(3),
                GREEDY.withStrategy(new DecodingStrategy.BeamSearch(3)).withReturnSequences(2))) {
            GenerationResult result = generator.generate("the text", options, TokenListener.NONE);
            List<TextPiece> pieces;
            try (Stream<TextPiece> stream = generator.stream("the text", options)) {
                pieces = stream.toList();
            }
            for (int s = 0; s < result.sequences().size(); s++) {
                int sequence = s;
                assertThat(texts(pieces, s)).isEqualTo(result.sequences().get(s).text());
                assertThat(pieces.stream().filter(GeneratedToken.class::isInstance).map(GeneratedToken.class::cast)
                        .filter(token -> token.sequence() == sequence).mapToInt(GeneratedToken::id).toArray())
                        .isEqualTo(result.sequences().get(s).ids());
                assertThat(pieces.stream().filter(TextEnd.class::isInstance).map(TextEnd.class::cast)
                        .filter(end -> end.sequence() == sequence).map(TextEnd::reason).toList())
                        .containsExactly(result.sequences().get(s).finishReason());
            }
        }
    }

    @Test
    void aStreamThatNobodyReadsIsNoCall() {
        Stream<TextPiece> first = generator.stream(PROMPT, GREEDY);
        Stream<TextPiece> second = generator.stream(PROMPT, GREEDY);
        assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).hasSize(40);
        assertThat(second).hasSize(41);
        assertThat(first).hasSize(41);
    }

    @Test
    void theGenerationIsAFewTokensAhead() {
        AtomicInteger written = new AtomicInteger();
        try (Stream<TextPiece> stream = generator.stream(PROMPT, counting(written))) {
            Iterator<TextPiece> pieces = stream.iterator();
            assertThat(written).hasValue(0);
            for (int taken = 1; taken <= 20; taken++) {
                pieces.next();
                assertThat(written.get()).isBetween(taken - 1, taken + 5);
            }
        }
        assertThat(written.get()).as("when it was closed").isLessThan(26);
    }

    @Test
    void aClosedStreamLeavesTheGeneratorFree() {
        int[] all = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        for (int i = 0; i < 10; i++) {
            try (Stream<TextPiece> stream = generator.stream(PROMPT, GREEDY)) {
                assertThat(stream.limit(i + 1).map(piece -> ((GeneratedToken) piece).id()).mapToInt(id -> id).toArray())
                        .isEqualTo(Arrays.copyOf(all, i + 1));
            }
            assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).isEqualTo(all);
        }
    }

    @Test
    void oneCallAtATime() {
        try (Stream<TextPiece> stream = generator.stream(PROMPT, GREEDY);
                Stream<TextPiece> other = generator.stream(PROMPT, GREEDY)) {
            Iterator<TextPiece> pieces = stream.iterator();
            pieces.next();
            assertThatIllegalStateException()
                    .isThrownBy(() -> generator.generate(PROMPT, GREEDY, TokenListener.NONE))
                    .withMessageContaining("a call runs").withMessageContaining("TextGenerator");
            assertThatIllegalStateException().isThrownBy(other::toList).withMessageContaining("a call runs");
            assertThatIllegalStateException().isThrownBy(generator::openPromptCache);
            List<TextPiece> rest = new ArrayList<>();
            pieces.forEachRemaining(rest::add);
            assertThat(rest).hasSize(40);
        }
    }

    @Test
    void whatGoesWrongComesOutOfTheStream() {
        RuntimeException mine = new IllegalStateException("mine");
        List<TextPiece> pieces = new ArrayList<>();
        StopCondition failing = (ids, _) -> {
            if (ids.length == 8) {
                throw mine;
            }
            return false;
        };
        try (Stream<TextPiece> stream = generator.stream(PROMPT,
                GREEDY.withStopping(GREEDY.stopping().withCondition(failing)))) {
            assertThatThrownBy(() -> stream.forEach(pieces::add)).isSameAs(mine);
        }
        assertThat(pieces).hasSize(8);
        assertThatThrownBy(() -> generator.stream(new int[]{1, -1}, GREEDY).toList())
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
        assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).hasSize(40);
    }

    @Test
    void cancelledAndLateOnesSaySo() {
        Cancellation cancelled = new Cancellation();
        cancelled.cancel();
        assertThat(generator.stream(PROMPT, GREEDY, cancelled).toList())
                .containsExactly(new TextEnd(0, "", FinishReason.CANCELLED));
        assertThat(generator.stream("a text", GREEDY, Cancellation.after(Duration.ZERO)).toList())
                .containsExactly(new TextEnd(0, "", FinishReason.TIME));
        Cancellation later = new Cancellation();
        List<TextPiece> pieces = new ArrayList<>();
        generator.stream(PROMPT, GREEDY, later).forEach(piece -> {
            pieces.add(piece);
            if (pieces.size() == 5) {
                later.cancel();
            }
        });
        assertThat(pieces).hasSizeBetween(6, 12);
        assertThat(reason(pieces)).isEqualTo(FinishReason.CANCELLED);
        pieces.clear();
        generator.stream(PROMPT, GREEDY).forEach(piece -> {
            pieces.add(piece);
            if (pieces.size() == 5) {
                generator.cancel();
            }
        });
        assertThat(reason(pieces)).isEqualTo(FinishReason.CANCELLED);
    }

    /** The reader does nothing: the generation, which waits for it, sees by itself that its time is over. */
    @Test
    void aDeadlineEndsAGenerationThatNobodyReadsOn() {
        Stream<TextPiece> stream = generator.stream(PROMPT, GREEDY, Cancellation.after(Duration.ofMillis(300)));
        Iterator<TextPiece> pieces = stream.iterator();
        TextPiece first = pieces.next();
        long start = System.nanoTime();
        while (true) {
            try {
                generator.generate(PROMPT, GREEDY, TokenListener.NONE);
                break;
            } catch (IllegalStateException e) {
                assertThat(System.nanoTime() - start).isLessThan(Duration.ofMinutes(2).toNanos());
            }
        }
        List<TextPiece> all = new ArrayList<>(List.of(first));
        pieces.forEachRemaining(all::add);
        assertThat(reason(all)).isEqualTo(FinishReason.TIME);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptedReaderEndsIt(boolean virtual) throws ExecutionException, InterruptedException {
        FutureTask<List<TextPiece>> reading = new FutureTask<>(() -> {
            Thread.currentThread().interrupt();
            List<TextPiece> pieces = generator.stream(PROMPT, GREEDY).toList();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            return pieces;
        });
        (virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(reading);
        assertThat(reason(reading.get())).isEqualTo(FinishReason.CANCELLED);
        assertThat(reading.get()).hasSizeLessThan(12);
        assertThat(generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).hasSize(40);
    }

    @Test
    void aGeneratorThatIsClosedEndsItsStream() {
        Iterator<TextPiece> pieces = generator.stream(PROMPT, GREEDY).iterator();
        pieces.next();
        generator.close();
        assertThatThrownBy(() -> pieces.forEachRemaining(_ -> {
        })).isInstanceOf(ClosedException.class).hasMessageContaining("TextGenerator");
        assertThatThrownBy(() -> generator.stream(PROMPT, GREEDY).toList()).isInstanceOf(ClosedException.class);
    }

    /** Its session is freed though nobody reads the stream any more: the check is in {@link #close}. */
    @Test
    void aGeneratorIsClosedThoughAStreamIsLeftOpen() {
        generator.stream(PROMPT, GREEDY).iterator().next();
        generator.close();
        long start = System.nanoTime();
        while (tiny.engine().memory().caches() > 0) {
            assertThat(System.nanoTime() - start).isLessThan(Duration.ofMinutes(2).toNanos());
            Thread.onSpinWait();
        }
    }

    @Test
    void aModelThatIsClosedEndsItsStreams() {
        Iterator<TextPiece> pieces = generator.stream(PROMPT, GREEDY).iterator();
        pieces.next();
        tiny.model().close();
        assertThatThrownBy(() -> pieces.forEachRemaining(_ -> {
        })).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> generator.generate(PROMPT, GREEDY, TokenListener.NONE))
                .isInstanceOf(ClosedException.class);
    }

    /** Everything at once, at any moment of a generation: it ends, and all memory is given back. */
    @Test
    void everythingIsClosedWhileItComputes() throws IOException, InterruptedException {
        for (int round = 0; round < 30; round++) {
            int tokens = round;
            try (Engine engine = TestBackends.open(2)) {
                Gpt model = Gpt.load(engine, directory);
                TextGenerator own = TextGenerator.open(model);
                CountDownLatch written = new CountDownLatch(tokens);
                FutureTask<GenerationResult> call = new FutureTask<>(
                        () -> own.generate(PROMPT, GREEDY.withMaxNewTokens(60), _ -> written.countDown()));
                Thread.ofPlatform().start(call);
                written.await();
                own.close();
                model.close();
                try {
                    assertThat(call.get().ids()).as("written before it was closed").hasSize(60);
                } catch (ExecutionException e) {
                    assertThat(e).hasCauseInstanceOf(ClosedException.class);
                }
                assertThat(engine.memory().total()).isZero();
            }
        }
    }

    @Test
    void ofManyThreadsOneIsServed() throws InterruptedException {
        int[] expected = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
        AtomicInteger served = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                for (int n = 0; n < 20; n++) {
                    try {
                        int[] ids = generator.generate(PROMPT, GREEDY, TokenListener.NONE).ids();
                        (Arrays.equals(ids, expected) ? served : wrong).incrementAndGet();
                    } catch (IllegalStateException e) {
                        refused.incrementAndGet();
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).hasValue(0);
        assertThat(served).hasPositiveValue();
        assertThat(served.get() + refused.get()).isEqualTo(160);
    }

    @Test
    void aSubscriberGetsWhatItAsksFor() throws ExecutionException, InterruptedException {
        GenerationResult result = generator.generate("the text", GREEDY, TokenListener.NONE);
        AtomicInteger written = new AtomicInteger();
        CompletableFuture<List<TextPiece>> published = new CompletableFuture<>();
        generator.publish("the text", counting(written)).subscribe(new Flow.Subscriber<>() {
            private final List<TextPiece> pieces = new ArrayList<>();
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                this.subscription = subscription;
                subscription.request(1);
            }

            @Override
            public void onNext(TextPiece piece) {
                pieces.add(piece);
                if (written.get() > pieces.size() + 5) {
                    published.completeExceptionally(new AssertionError(written + " tokens for " + pieces.size()));
                }
                subscription.request(1);
            }

            @Override
            public void onError(Throwable failure) {
                published.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                published.complete(pieces);
            }
        });
        assertThat(texts(published.get(), 0)).isEqualTo(result.text());
        assertThat(reason(published.get())).isEqualTo(FinishReason.LENGTH);
    }
}
