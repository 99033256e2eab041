package org.vecformer.engine.generation;

import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.OwnThread;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A request of a {@link Scheduler}: waits, is begun, gets its tokens from the steps that it is part of, and ends. Once it is
 * submitted, all but the {@link #future} is for the scheduler's thread.
 */
final class ScheduledRequest {

    private final CompletableFuture<GenerationResult> future = new CompletableFuture<>();
    private final Generation generation;
    private final int[] prompt;
    private final long positions;
    private final Cancellation cancellation;
    private final BooleanSupplier unwanted;
    /** Null until it is begun. */
    private Continuations continuations;
    private boolean reading = true;
    /** How it has ended: one of the two, or null as long as it has not. */
    private GenerationResult result;
    private Throwable failure;

    /**
     * One whose time runs from here on.
     *
     * @param positions of the cache that it takes at most
     * @param unwanted  whether its reader wants no more
     */
    ScheduledRequest(Session session, Tokenizer tokenizer, int[] prompt, long positions, GenerationOptions options,
            TokenListener listener, Cancellation cancellation, BooleanSupplier unwanted) {
        this.prompt = prompt;
        this.positions = positions;
        this.cancellation = cancellation;
        this.unwanted = unwanted;
        generation = new Generation(session, tokenizer, options, new SplittableRandom().nextLong(), listener,
                this::wishToEnd);
    }

    CompletableFuture<GenerationResult> future() {
        return future;
    }

    private FinishReason wishToEnd() {
        // Who has completed the future himself, or cancelled it, does not want the result.
        if (future.isDone() || unwanted.getAsBoolean() || cancellation.isCancelled()) {
            return FinishReason.CANCELLED;
        }
        return cancellation.isLate() ? FinishReason.TIME : null;
    }

    /** Why it has to end although its texts go on; null if it does not. */
    FinishReason reasonToEnd() {
        return generation.interruption().isDue() ? generation.interruption().reason() : null;
    }

    long positions() {
        return positions;
    }

    /** How many texts are written. */
    int sequences() {
        return generation.options().returnSequences();
    }

    /** Takes the memory that it needs; {@link #leave} gives it back. */
    void begin(Stepper stepper) {
        continuations = new Continuations(generation, stepper, prompt, 0);
        if (continuations.areFinished()) {
            promptIsDone();
        }
    }

    /** Whether its prompt is being read; then {@link #texts} has only the one that reads. */
    boolean isReading() {
        return reading;
    }

    List<Track> texts() {
        return continuations.all();
    }

    /**
     * Chooses the next token of a text; behind the prompt, of all texts.
     *
     * @param next as much of the logits as the text wants
     */
    void choose(Track text, NextLogits next, Candidates candidates) {
        if (reading) {
            promptIsDone();
            continuations.choose(next, candidates);
        } else {
            text.choose(next, candidates);
        }
    }

    private void promptIsDone() {
        reading = false;
        generation.promptIsDone();
        continuations.fork();
    }

    /** Whether all its texts have ended. */
    boolean isFinished() {
        return !reading && continuations.areFinished();
    }

    /** Whether it has a result or a failure. */
    boolean isOver() {
        return result != null || failure != null;
    }

    /** Ends those of its texts that go on, with what was written; it need not have been begun. */
    void end(FinishReason reason) {
        if (continuations == null) {
            for (int i = 0; i < sequences(); i++) {
                generation.listener().finished(new TextEnd(i, "", reason));
            }
            generation.promptIsDone();
            complete(Collections.nCopies(sequences(),
                    new GeneratedSequence(new int[0], "", reason, OptionalDouble.empty(), List.of())));
            return;
        }
        if (reading) {
            generation.promptIsDone();
        }
        continuations.finish(reason);
        complete();
    }

    /** Puts the result together, when it {@linkplain #isFinished is finished}. */
    void complete() {
        complete(continuations.results());
    }

    private void complete(List<GeneratedSequence> sequences) {
        result = new GenerationResult(prompt, sequences, generation.timing(List.of(sequences)));
    }

    /** Ends it without a result. */
    void fail(Throwable failure) {
        this.failure = failure;
    }

    /** Gives back its memory, and then tells how it has ended. */
    void leave() {
        if (continuations != null) {
            continuations.close();
        }
        OwnThread.tell(this::tell);
    }

    private void tell() {
        if (failure == null) {
            future.complete(result);
        } else {
            future.completeExceptionally(failure);
        }
    }
}
