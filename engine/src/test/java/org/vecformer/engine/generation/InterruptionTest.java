package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.model.Trace;
import org.vecformer.engine.task.TextGenerator;

/** How generations end before their end, by all strategies. */
class InterruptionTest extends ByteModelFixture {

    private static final GenerationOptions PLAIN = GenerationOptions.defaults().withMaxNewTokens(20);

    enum Way {
        GREEDY(PLAIN), DRAWN(PLAIN.withStrategy(DecodingStrategy.random(3)).withReturnSequences(2)), BEAMS(
                PLAIN.withStrategy(new DecodingStrategy.BeamSearch(3))),
        CONTRASTIVE(
                PLAIN.withStrategy(new DecodingStrategy.ContrastiveSearch(4, 0.6))),
        DRAFTED(
                PLAIN.withDrafting(new Drafting.PromptLookup(3, 3)));

        private final GenerationOptions options;

        Way(GenerationOptions options) {
            this.options = options;
        }
    }

    private static void assertEnded(GenerationResult result, FinishReason reason) {
        assertThat(result.ids()).isEmpty();
        assertThat(result.text()).isEmpty();
        assertThat(result.finishReason()).isEqualTo(reason);
    }

    @ParameterizedTest
    @EnumSource
    void beforeItBegins(Way way) {
        Cancellation cancelled = new Cancellation();
        cancelled.cancel();
        assertEnded(generator.generate(PROMPT, way.options, TokenListener.NONE, cancelled), FinishReason.CANCELLED);
        assertEnded(generator.generate(PROMPT, way.options, TokenListener.NONE, Cancellation.after(Duration.ZERO)),
                FinishReason.TIME);
        Cancellation both = Cancellation.after(Duration.ZERO);
        both.cancel();
        assertEnded(generator.generate("a text", way.options, TokenListener.NONE, both), FinishReason.CANCELLED);
    }

    @ParameterizedTest
    @EnumSource
    void betweenTwoLayersOfThePrompt(Way way) {
        int[] prompt = IntStream.range(0, 40).map(i -> i * 7 % 250).toArray();
        try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(1000))) {
            DecodingLoop loop = new DecodingLoop(session, tokenizer);
            List<GenerationResult> expected = loop.run(List.of(prompt), way.options, 0, TokenListener.NONE,
                    () -> null);
            long steps = session.steps();
            Cancellation cancellation = new Cancellation();
            AtomicInteger last = new AtomicInteger(-1);
            session.trace(new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    last.accumulateAndGet(layer, Math::max);
                    if (layer == 0) {
                        cancellation.cancel();
                    }
                }
            });
            assertEnded(loop.run(List.of(prompt), way.options, 0, TokenListener.NONE,
                    () -> cancellation.isCancelled() ? FinishReason.CANCELLED : null).getFirst(),
                    FinishReason.CANCELLED);
            assertThat(last).as("the last block of two").hasValue(0);
            assertThat(session.steps()).isEqualTo(steps);
            session.trace(null);
            assertThat(loop.run(List.of(prompt), way.options, 0, TokenListener.NONE, () -> null).getFirst().ids())
                    .as("nothing is left of it").isEqualTo(expected.getFirst().ids());
        }
    }

    @ParameterizedTest
    @EnumSource
    void whileItWrites(Way way) {
        GenerationResult all = generator.generate(PROMPT, way.options, TokenListener.NONE);
        AtomicInteger written = new AtomicInteger();
        Cancellation cancellation = new Cancellation();
        // Of beams nothing is told before they are finished; whether they end is asked for each token of each.
        GenerationOptions options = way.options.withStopping(way.options.stopping().withCondition((ids, _) -> {
            written.accumulateAndGet(ids.length, Math::max);
            if (ids.length == 7) {
                cancellation.cancel();
            }
            return false;
        }));
        GenerationResult some = generator.generate(PROMPT, options, TokenListener.NONE, cancellation);
        assertThat(some.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(some.ids()).hasSizeBetween(7, 12);
        if (way != Way.BEAMS) {
            assertThat(some.ids()).isEqualTo(Arrays.copyOf(all.ids(), some.ids().length));
        }
        assertThat(generator.generate(PROMPT, way.options, TokenListener.NONE).ids()).isEqualTo(all.ids());
    }

    @Test
    void byAnInterruptionOfItsThread() throws Exception {
        for (Thread.Builder threads : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
            AtomicInteger written = new AtomicInteger();
            FutureTask<GenerationResult> call = new FutureTask<>(() -> {
                GenerationResult result = generator.generate(PROMPT, PLAIN, _ -> {
                    if (written.incrementAndGet() == 4) {
                        Thread.currentThread().interrupt();
                    }
                });
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                return result;
            });
            threads.start(call);
            assertThat(call.get().finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(call.get().ids()).hasSize(4);
        }
    }

    /** One cancellation for several calls, of which the second is to end, though it has not begun. */
    @Test
    void aCancellationIsNotLostBetweenTwoCalls() {
        Cancellation cancellation = new Cancellation();
        assertThat(generator.generate(PROMPT, PLAIN, TokenListener.NONE, cancellation).ids()).hasSize(20);
        generator.cancel();
        cancellation.cancel();
        assertEnded(generator.generate(PROMPT, PLAIN, TokenListener.NONE, cancellation), FinishReason.CANCELLED);
        assertThat(generator.generate(PROMPT, PLAIN, TokenListener.NONE).ids())
                .as("without it; the generator's own one was for the call that ran, and there was none").hasSize(20);
    }

    @Test
    void byTheEndOfItsGenerator() {
        TextGenerator closed = TextGenerator.open(model, tokenizer);
        long caches = engine.memory().caches();
        PromptCache cache = closed.openPromptCache();
        AtomicInteger written = new AtomicInteger();
        assertThatExceptionOfType(ClosedException.class)
                .isThrownBy(() -> closed.generate(PROMPT, PLAIN.withPromptCache(cache), _ -> {
                    if (written.incrementAndGet() == 4) {
                        closed.close();
                        assertThat(engine.memory().caches()).as("while it runs").isGreaterThanOrEqualTo(caches);
                    }
                })).withMessageContaining("closed");
        assertThat(written).hasValue(4);
        assertThat(engine.memory().caches()).as("behind it").isLessThan(caches);
        assertThat(cache.isClosed()).isTrue();
        cache.close();
        closed.close();
        assertThatExceptionOfType(ClosedException.class)
                .isThrownBy(() -> closed.generate(PROMPT, PLAIN, TokenListener.NONE));
        assertThatExceptionOfType(ClosedException.class).isThrownBy(closed::openPromptCache);
    }
}
