package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.tensor.KeyValueMemory;

/**
 * What a model has seen in the last generation, so that the next one computes only what is new in its prompt: the turns
 * of a conversation, many questions about one text. Given to a generation by {@link GenerationOptions#withPromptCache},
 * which starts behind the longest common beginning of its prompt and of the text before (prompt and what was written, with
 * their {@linkplain TokenTypes types}). It ends with its own text in the cache, however it ends. What is written is the
 * same as without, on the CPU to the last bit.
 * <p>
 * Holds one sequence in the session's key/value cache, up to the last text's length, until it is {@linkplain #clear()
 * cleared} or closed. Not thread-safe, as its session.
 */
public final class PromptCache implements AutoCloseable {

    private static final int[] NOTHING = {};

    private Session session;
    private Sequence sequence;
    /** Of the sequence's positions, and maybe more. */
    private int[] ids = NOTHING;
    /** Of the same; null for none. */
    private int[] types;
    private int reused;
    private boolean lent;
    private boolean closed;

    /** An empty one in this session's key/value cache. */
    public PromptCache(Session session) {
        this.session = session;
        sequence = session.newSequence();
    }

    /** How many positions the last generation found here, and so did not compute. */
    public int reused() {
        return reused;
    }

    /** How many positions of the session's key/value cache it holds, in whole pages. */
    public long positions() {
        return (long) Math.ceilDiv(sequence.length(), KeyValueMemory.POSITIONS) * KeyValueMemory.POSITIONS;
    }

    /** Whether it has been closed. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Forgets the text and gives its memory back.
     *
     * @throws IllegalStateException if it is closed or a generation that has not ended uses it
     */
    public void clear() {
        checkIdle();
        sequence.truncate(0);
    }

    /**
     * Forgets the text and goes on in another session.
     *
     * @throws IllegalStateException as {@link #clear}
     */
    public void moveTo(Session session) {
        checkIdle();
        Sequence moved = session.newSequence();
        sequence.close();
        sequence = moved;
        this.session = session;
    }

    /**
     * Reads a text without writing behind it: computes what this does not hold of it, and holds all of it then.
     *
     * @param text      token ids, as many as the context has room for
     * @param types     one for each, as in {@link TokenTypes}; null for none
     * @param cancelled asked before each step and between the layers of a step; what it throws reaches the caller
     * @return a fork of it to go on from, which the caller closes
     * @throws CancellationException if it was cancelled; what has been read stays
     * @throws IllegalStateException as {@link #clear}
     */
    public Sequence read(int[] text, int[] types, BooleanSupplier cancelled) {
        checkIdle();
        reused = common(text, types, text.length);
        sequence.truncate(reused);
        ids = text.clone();
        this.types = types == null ? null : types.clone();
        Batch batch = session.batch();
        while (sequence.length() < ids.length) {
            batch.clear();
            int from = sequence.length();
            batch.add(sequence, ids, this.types, from, Math.min(ids.length, from + batch.room()), Logits.NONE);
            if (cancelled.getAsBoolean() || !session.step(batch, cancelled)) {
                throw new CancellationException("cancelled");
            }
        }
        return sequence.fork();
    }

    /** @throws IllegalStateException if a generation in this session cannot use it now */
    void check(Session session) {
        checkIdle();
        if (session != this.session) {
            throw new IllegalArgumentException("the prompt cache belongs to another session");
        }
    }

    private void checkIdle() {
        if (closed) {
            throw new IllegalStateException("the prompt cache is closed");
        }
        if (lent) {
            throw new IllegalStateException("the prompt cache is in use by a generation that has not ended");
        }
    }

    /**
     * The context of a prompt, with what this and the last text have in common in its cache; {@link #takeBack} follows.
     *
     * @param types one for each of {@code bound} tokens; null for none
     * @param bound how many tokens there may be in the end
     * @param reuse false to take nothing over
     */
    Context lend(int[] prompt, int[] types, int bound, boolean reuse) {
        checkIdle();
        // The prompt's last token is not taken over, since the next one is chosen from its logits.
        reused = reuse ? common(prompt, types, prompt.length - 1) : 0;
        sequence.truncate(reused);
        Context context = new Context(this, sequence, prompt, types, bound);
        lent = true;
        return context;
    }

    /** How many of a text's first tokens are here. */
    private int common(int[] text, int[] types, int atMost) {
        if ((types == null) != (this.types == null)) {
            return 0;
        }
        int same = same(ids, text, Math.min(sequence.length(), atMost));
        return types == null ? same : same(this.types, types, same);
    }

    private static int same(int[] one, int[] other, int most) {
        int mismatch = Arrays.mismatch(one, 0, most, other, 0, most);
        return mismatch < 0 ? most : mismatch;
    }

    /** The generation has ended: keeps what the model has seen of its text, and gives back what it did not write. */
    void takeBack(Context context) {
        ids = context.ids();
        types = context.types();
        sequence.truncate(Math.min(sequence.length(), context.length()));
        lent = false;
    }

    /**
     * Gives its memory back. A second call does nothing.
     *
     * @throws IllegalStateException if a generation that has not ended uses it
     */
    @Override
    public void close() {
        if (!closed) {
            checkIdle();
            sequence.close();
            closed = true;
        }
    }
}
