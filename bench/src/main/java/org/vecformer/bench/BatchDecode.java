package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;

/** Several sequences that grow together, a token of each in a step: they share one pass over the weights. */
final class BatchDecode implements AutoCloseable {

    /** What each sequence holds before. */
    static final int PROMPT_TOKENS = 64;

    private final Session session;
    private final List<Sequence> sequences = new ArrayList<>();
    private final int[] tokens;

    /**
     * @param count sequences
     * @param steps the most steps of a run
     */
    BatchDecode(Gpt model, int count, int steps) {
        int length = PROMPT_TOKENS + steps;
        tokens = new SplittableRandom(1).ints(length, 0, model.config().vocabularySize()).toArray();
        session = model.openSession(new SessionOptions((long) count * Math.ceilDiv(length, 64) * 64,
                Math.max(PROMPT_TOKENS, count)));
        try {
            for (int i = 0; i < count; i++) {
                Sequence sequence = session.newSequence();
                sequences.add(sequence);
                session.feed(sequence, tokens, 0, PROMPT_TOKENS);
            }
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    /** So many steps behind the prompts; tokens of all sequences together per second. */
    double tokensPerSecond(int steps) {
        Batch batch = session.batch();
        long start = System.nanoTime();
        for (int i = PROMPT_TOKENS; i < PROMPT_TOKENS + steps; i++) {
            batch.clear();
            for (Sequence sequence : sequences) {
                batch.add(sequence, tokens, i, i + 1, Logits.LAST);
            }
            session.step(batch);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        for (Sequence sequence : sequences) {
            sequence.truncate(PROMPT_TOKENS);
        }
        return sequences.size() * (double) steps / seconds;
    }

    /**
     * Compares the last step's logits of all sequences, which have the same tokens.
     *
     * @throws IllegalStateException if they have not the same bits, or are not finite
     */
    void checkAlike() {
        float[] first = new float[session.model().outputs()];
        float[] other = first.clone();
        session.logits(0, first);
        for (int i = 0; i < sequences.size(); i++) {
            session.logits(i, other);
            if (!Arrays.equals(first, other) || !Float.isFinite(first[0])) {
                throw new IllegalStateException("the logits of sequence " + i + " and of the first, which have the same"
                        + " tokens, differ or are not finite: what was measured is wrong");
            }
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
