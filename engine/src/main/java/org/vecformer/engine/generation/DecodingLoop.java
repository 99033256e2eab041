package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt2;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/**
 * Writes one sequence: the model gives logits, the sampler chooses, the token is appended, until something ends it.
 * Holds the buffers that this takes, so that a token costs no memory but its own; used by one thread at a time.
 */
public final class DecodingLoop {

    private final Session session;
    private final float[] logits;
    private final Candidates candidates;

    /** A loop on a session that nobody else uses meanwhile. */
    public DecodingLoop(Session session) {
        this.session = session;
        if (session.model().head() != Gpt2.Head.LANGUAGE_MODEL) {
            throw new IllegalArgumentException("the model has a head of type " + session.model().head()
                    + "; generation needs a language model");
        }
        int vocabulary = session.model().config().vocabularySize();
        logits = new float[vocabulary];
        candidates = new Candidates(vocabulary);
    }

    /** What a run wrote: the ids from {@code promptLength} to {@code length} of the array it was given. */
    public record Outcome(int length, FinishReason reason, Timing timing) {}

    /**
     * Continues a prompt.
     *
     * @param ids          starts with the prompt and has room for the continuation: its length is the bound
     * @param promptLength at least 1
     * @param endTokens    sorted
     * @param useCache     whether to keep keys and values from token to token
     * @param listener     told each token
     * @param cancelled    asked before each step
     */
    public Outcome run(int[] ids, int promptLength, Sampler sampler, int[] endTokens, boolean useCache,
            IntConsumer listener, BooleanSupplier cancelled) {
        long start = System.nanoTime();
        long promptDone = start;
        int length = promptLength;
        FinishReason reason = FinishReason.LENGTH;
        sampler.acceptPrompt(Arrays.copyOf(ids, promptLength));
        try (Sequence sequence = session.newSequence()) {
            // What would not fit must fail now, not in the middle of a text; and no step has to ask the system for
            // memory.
            session.reserve(sequence, Math.min(ids.length, session.model().config().contextLength()));
            while (length < ids.length) {
                if (!useCache) {
                    sequence.truncate(0);
                }
                if (!feed(sequence, ids, length, cancelled)) {
                    reason = FinishReason.CANCELLED;
                    break;
                }
                if (length == promptLength) {
                    promptDone = System.nanoTime();
                }
                session.logits(0, logits);
                candidates.load(logits);
                sampler.apply(candidates);
                int id = candidates.selectedToken();
                sampler.accept(id);
                ids[length++] = id;
                listener.accept(id);
                if (Arrays.binarySearch(endTokens, id) >= 0) {
                    reason = FinishReason.EOS;
                    break;
                }
            }
        }
        long end = System.nanoTime();
        return new Outcome(length, reason,
                new Timing((promptDone - start) / 1e9, (end - promptDone) / 1e9, length - promptLength));
    }

    /** Brings the sequence to {@code length} tokens, with logits for the last; false if it was cancelled on the way. */
    private boolean feed(Sequence sequence, int[] ids, int length, BooleanSupplier cancelled) {
        Batch batch = session.batch();
        while (sequence.length() < length) {
            if (cancelled.getAsBoolean()) {
                return false;
            }
            batch.clear();
            int from = sequence.length();
            int to = Math.min(length, from + batch.room());
            batch.add(sequence, ids, from, to, to == length ? Logits.LAST : Logits.NONE);
            session.step(batch);
        }
        return true;
    }
}
