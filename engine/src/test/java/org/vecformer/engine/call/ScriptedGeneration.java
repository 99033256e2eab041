package org.vecformer.engine.call;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;

/** A generation without a model, on a thread of its own: the tokens 0, 1, 2, ... with their numbers as texts. */
final class ScriptedGeneration implements PieceQueue.Source {

    private final int tokens;
    private final int ahead;
    private final RuntimeException failure;
    final AtomicInteger begun = new AtomicInteger();
    final AtomicInteger written = new AtomicInteger();
    final CountDownLatch over = new CountDownLatch(1);

    /**
     * @param ahead   how far it may be ahead of its consumer; 0 for any distance
     * @param failure what it throws behind the last token; null for nothing
     */
    ScriptedGeneration(int tokens, int ahead, RuntimeException failure) {
        this.tokens = tokens;
        this.ahead = ahead;
        this.failure = failure;
    }

    @Override
    public void begin(PieceQueue queue) {
        begun.incrementAndGet();
        Thread.ofVirtual().start(() -> {
            TokenListener listener = ahead == 0 ? queue : queue.atMostAhead(ahead, queue::isCancelled);
            for (int i = 0; i < tokens && !queue.isCancelled(); i++) {
                written.incrementAndGet();
                listener.token(new GeneratedToken(0, i, String.valueOf(i), null));
            }
            if (failure == null) {
                listener.finished(new TextEnd(0, ".",
                        queue.isCancelled() ? FinishReason.CANCELLED : FinishReason.LENGTH));
            }
            over.countDown();
            queue.end(failure);
        });
    }

    /** Waits until something is so. */
    static void await(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > Duration.ofMinutes(2).toNanos()) {
                throw new AssertionError("it did not become so in two minutes");
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
