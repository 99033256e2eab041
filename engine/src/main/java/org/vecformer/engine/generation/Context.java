package org.vecformer.engine.generation;

import java.util.Arrays;
import org.vecformer.engine.Sequence;

/** Tokens that a model goes on from: those that it has seen are in its cache, the others wait for the next step. */
final class Context implements AutoCloseable {

    private Sequence sequence;
    private final int bound;
    private final int[] ids;
    private int length;
    private Wanted wanted = Wanted.ALL;

    /**
     * @param prompt its first tokens
     * @param bound  how many there may be in the end
     */
    Context(Sequence sequence, int[] prompt, int bound) {
        this(sequence, Arrays.copyOf(prompt, bound), prompt.length, bound);
    }

    private Context(Sequence sequence, int[] ids, int length, int bound) {
        this.sequence = sequence;
        this.ids = ids;
        this.length = length;
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

    /** What the next step shall tell of the logits behind its last token; all, unless {@link #want} says less. */
    Wanted wanted() {
        return wanted;
    }

    void want(Wanted wanted) {
        this.wanted = wanted;
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
        return new Context(sequence.fork(), ids.clone(), length, bound);
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
        sequence.close();
    }
}
