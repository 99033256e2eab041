package org.vecformer.engine.model;

import java.util.Arrays;
import java.util.Objects;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.cache.CachedSequence;
import org.vecformer.engine.kernel.PackedBatch;

/**
 * The tokens of one step: for each of several sequences the ids that follow what it holds, packed end to end. A
 * session's batch is filled, given to {@link Session#step}, cleared and filled again. Not thread-safe.
 *
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="batch"}
 */
public final class Batch {

    private final Session session;
    final PackedBatch packed;
    final CachedSequence[] sequences;
    final int[] ids;
    final int[] positions;
    final int[] types;
    final int[] wanted;
    int wantedCount;

    Batch(Session session, int capacity) {
        this.session = session;
        packed = new PackedBatch(capacity);
        sequences = new CachedSequence[capacity];
        ids = new int[capacity];
        positions = new int[capacity];
        types = new int[capacity];
        wanted = new int[capacity];
    }

    /** Takes everything out. */
    public void clear() {
        Arrays.fill(sequences, 0, packed.sequences, null);
        Arrays.fill(packed.pages, 0, packed.sequences, null);
        packed.sequences = 0;
        wantedCount = 0;
    }

    /** The most rows it can take. */
    public int capacity() {
        return ids.length;
    }

    /** Rows taken. */
    public int rows() {
        return packed.rows();
    }

    /** Rows that still fit. */
    public int room() {
        return ids.length - rows();
    }

    /**
     * Adds a sequence's next tokens, at the positions that follow.
     *
     * @param from index in {@code tokens} of the first one
     * @param to   index after the last one
     * @throws IllegalArgumentException for an id outside the vocabulary, more tokens than the batch has room for or the
     *                                  context length allows, or a sequence that is in the batch already
     */
    public void add(Sequence sequence, int[] tokens, int from, int to, Logits logits) {
        add(sequence, tokens, null, from, to, logits);
    }

    /**
     * Adds a sequence's next tokens with their types, at the positions that follow.
     *
     * @param tokens     of which those from index {@code from} to before {@code to} are added
     * @param tokenTypes ids of the vocabulary at the same indices, whose embeddings are added: Hugging Face's {@code
     *                   token_type_ids}; null for none
     * @throws IllegalArgumentException for an id or a type outside the vocabulary, more tokens than the batch has room
     *                                  for or the context length allows, or a sequence that is in the batch already
     */
    public void add(Sequence sequence, int[] tokens, int[] tokenTypes, int from, int to, Logits logits) {
        Objects.checkFromToIndex(from, to, tokens.length);
        if (tokenTypes != null) {
            Objects.checkFromToIndex(from, to, tokenTypes.length);
        }
        int row = rows();
        CachedSequence own = session.own(sequence);
        check(own, to - from);
        for (int i = from; i < to; i++) {
            session.checkToken(tokens[i]);
            if (tokenTypes != null) {
                session.checkToken(tokenTypes[i]);
            }
        }
        for (int i = from; i < to; i++, row++) {
            ids[row] = tokens[i];
            positions[row] = sequence.length() + i - from;
            types[row] = tokenTypes == null ? -1 : tokenTypes[i];
        }
        append(own, to - from, logits);
    }

    /**
     * Adds a sequence's next tokens with position ids and token types of the caller's: Hugging Face's {@code
     * position_ids} and {@code token_type_ids}. Attention still goes by the order of the tokens.
     *
     * @param positionIds one for each token; null for those that follow
     * @param tokenTypes  ids of the vocabulary, one for each token, whose embeddings are added; null for none
     */
    public void add(Sequence sequence, int[] tokens, int[] positionIds, int[] tokenTypes, Logits logits) {
        checkLength("position ids", positionIds, tokens.length);
        checkLength("token types", tokenTypes, tokens.length);
        if (positionIds != null) {
            for (int position : positionIds) {
                session.checkPosition(position);
            }
        }
        int row = rows();
        add(sequence, tokens, tokenTypes, 0, tokens.length, logits);
        if (positionIds != null) {
            System.arraycopy(positionIds, 0, positions, row, positionIds.length);
        }
    }

    private static void checkLength(String what, int[] given, int tokens) {
        if (given != null && given.length != tokens) {
            throw new IllegalArgumentException(
                    given.length + " " + what + " for " + tokens + " tokens; expected as many");
        }
    }

    private void check(CachedSequence sequence, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("a sequence must get at least one token in a batch");
        }
        if (count > room()) {
            throw new IllegalArgumentException(count + " tokens for a batch with room for " + room() + " more");
        }
        session.check(sequence, count);
        for (int s = 0; s < packed.sequences; s++) {
            if (sequences[s] == sequence) {
                throw new IllegalArgumentException("the sequence is in this batch already");
            }
        }
    }

    private void append(CachedSequence sequence, int count, Logits logits) {
        int row = rows();
        int s = packed.sequences++;
        sequences[s] = sequence;
        packed.past[s] = sequence.length();
        packed.pages[s] = sequence.pageTable();
        packed.starts[s] = row;
        packed.starts[s + 1] = row + count;
        int first = switch (logits) {
            case NONE -> row + count;
            case LAST -> row + count - 1;
            case ALL -> row;
        };
        for (int wantedRow = first; wantedRow < row + count; wantedRow++) {
            wanted[wantedCount++] = wantedRow;
        }
    }
}
