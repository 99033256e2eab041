package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Session;

/**
 * Takes contexts to the end of their tokens, all in one packed batch as far as its rows suffice, and keeps what is
 * wanted of the logits of their last tokens, and their hidden states if they are wanted. Holds the buffers for that.
 */
final class Stepper {

    private final Session session;
    private final int vocabularySize;
    private final int stateSize;
    private NextLogits[] next = new NextLogits[0];
    private float[][] states = new float[0][];

    Stepper(Session session) {
        this.session = session;
        vocabularySize = session.model().outputs();
        stateSize = session.model().config().hiddenSize();
    }

    Session session() {
        return session;
    }

    int vocabularySize() {
        return vocabularySize;
    }

    /** Numbers of a hidden state. */
    int stateSize() {
        return stateSize;
    }

    /** A second context with the same past, and all the memory that it will need beside what they share. */
    Context fork(Context context) {
        return reserved(context.fork());
    }

    /**
     * Gives a context all the memory it will need: what would not fit must fail now, not in the middle of a text, and no
     * step has to ask the system for memory. Closes the context if there is not so much.
     */
    Context reserved(Context context) {
        try {
            session.reserve(context.sequence(), context.bound());
            return context;
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /**
     * Computes what is missing. A context all of whose tokens have been seen has its last one computed again, with the
     * same result.
     *
     * @param useCache whether to keep what is cached; otherwise everything is computed again
     * @param states   whether the hidden states are wanted
     * @return false if it was interrupted on the way: then there are no new logits
     */
    boolean advance(List<Context> contexts, boolean useCache, boolean states, Interruption interruption) {
        ensureRows(contexts.size());
        // By index, as an iterator would be garbage in each step.
        for (int i = 0; i < contexts.size(); i++) {
            Context context = contexts.get(i);
            int kept = useCache ? context.length() - 1 : 0;
            if (context.sequence().length() > kept) {
                context.sequence().truncate(kept);
            }
        }
        Batch batch = session.batch();
        int first = 0;
        while (first < contexts.size()) {
            if (interruption.isDue()) {
                return false;
            }
            batch.clear();
            int end = first;
            for (; end < contexts.size() && batch.room() > 0; end++) {
                contexts.get(end).addTo(batch, batch.room());
            }
            if (!session.step(batch, interruption)) {
                return false;
            }
            int row = 0;
            for (; first < end && contexts.get(first).sequence().length() == contexts.get(first).length(); first++) {
                if (states) {
                    session.hiddenState(row, this.states[first]);
                }
                next[first].read(session, row++, contexts.get(first).wanted());
            }
        }
        return true;
    }

    /**
     * What is known of the logits of a context's last token; good until the next step.
     *
     * @param index of the context in the list of the last step
     */
    NextLogits next(int index) {
        return next[index];
    }

    /** All of them, where all are {@linkplain Context#wanted() wanted}; the buffer itself. */
    float[] logits(int index) {
        return next[index].all();
    }

    /** The final hidden state of a context's last token, in the same way. */
    float[] state(int index) {
        return states[index];
    }

    private void ensureRows(int rows) {
        int before = next.length;
        if (before < rows) {
            next = Arrays.copyOf(next, rows);
            states = Arrays.copyOf(states, rows);
            for (int i = before; i < rows; i++) {
                next[i] = new NextLogits(vocabularySize);
                states[i] = new float[stateSize];
            }
        }
    }
}
