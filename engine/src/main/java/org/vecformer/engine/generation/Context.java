package org.vecformer.engine.generation;

import java.util.Arrays;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;

/** Tokens that a model goes on from: those that it has seen are in its cache, the others wait for the next step. */
final class Context implements AutoCloseable {

    /** Whose the sequence is; null if it is its own. */
    private final PromptCache lender;
    private Sequence sequence;
    private final int bound;
    private final int[] ids;
    /** Of all tokens that there may be; shared with forks. */
    private final int[] types;
    private int length;
    private Wanted wanted = Wanted.ALL;

    /**
     * One of its own sequence.
     *
     * @param prompt its first tokens
     * @param types  one for each of {@code bound} tokens; null for none
     * @param bound  how many there may be in the end
     */
    Context(Sequence sequence, int[] prompt, int[] types, int bound) {
        this(null, sequence, prompt, types, bound);
    }

    /**
     * One whose sequence goes back to a prompt cache in the end.
     *
     * @param lender whose {@link PromptCache#takeBack} is called when this is closed
     */
    Context(PromptCache lender, Sequence sequence, int[] prompt, int[] types, int bound) {
        this(lender, sequence, Arrays.copyOf(prompt, bound), prompt.length, types, bound);
    }

    private Context(PromptCache lender, Sequence sequence, int[] ids, int length, int[] types, int bound) {
        this.lender = lender;
        this.sequence = sequence;
        this.ids = ids;
        this.length = length;
        this.types = types;
        this.bound = bound;
    }

    /** The tokens that the model has seen. */
    Sequence sequence() {
        return sequence;
    }

    int length() {
        return length;
    }

    /** How many tokens there may be in the end. */
    int bound() {
        return bound;
    }

    boolean isFull() {
        return length == bound;
    }

    /** The array itself, of which the first {@link #length()} count. */
    int[] ids() {
        return ids;
    }

    /** One for each token, as far as there may be any; null for none. */
    int[] types() {
        return types;
    }

    /** What the next step shall tell of the logits behind its last token; all, unless {@link #want} says less. */
    Wanted wanted() {
        return wanted;
    }

    void want(Wanted wanted) {
        this.wanted = wanted;
    }

    /** How many of its tokens the model has not seen. */
    int unseen() {
        return length - sequence.length();
    }

    /**
     * Puts those of its tokens that the model has not seen into a batch, and asks for the logits behind the last one if
     * that is among them.
     *
     * @param most so many at most; there must be room for them
     * @return how many
     */
    int addTo(Batch batch, int most) {
        int from = sequence.length();
        int to = Math.min(length, from + most);
        batch.add(sequence, ids, types, from, to, to == length ? Logits.LAST : Logits.NONE);
        return to - from;
    }

    int last() {
        return ids[length - 1];
    }

    void append(int id) {
        ids[length++] = id;
    }

    /** Goes back to a length that it had before. */
    void truncate(int length) {
        this.length = length;
        if (sequence.length() > length) {
            sequence.truncate(length);
        }
    }

    /** Takes out of the cache what is not among its tokens, and the last of them, which waits for the next step. */
    void forgetUnwritten() {
        if (sequence.length() >= length) {
            sequence.truncate(length - 1);
        }
    }

    /** A second one with the same past; the two share their cache as far as they are the same. */
    Context fork() {
        return new Context(null, sequence.fork(), ids.clone(), length, types, bound);
    }

    /** Takes the cache of a fork that has gone further, and gives its own back; the fork is not to be used any more. */
    void adopt(Context fork) {
        sequence.close();
        sequence = fork.sequence;
    }

    /** What stands behind the first {@code from} tokens. */
    int[] idsFrom(int from) {
        return Arrays.copyOfRange(ids, from, length);
    }

    @Override
    public void close() {
        if (lender == null) {
            sequence.close();
        } else {
            lender.takeBack(this);
        }
    }
}
