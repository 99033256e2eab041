package org.vecformer.engine.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.loader.BertConfig;

/**
 * The sequences of one run, packed end to end. Tokens that are not attended to take no row and no work: the others keep
 * their positions. A session's batch is filled, given to {@link EncoderSession#run}, cleared and filled again. Not
 * thread-safe.
 */
public final class EncoderBatch {

    private static final int NO_ROW = -1;

    private final EncoderSession session;
    private final List<int[]> rowsOfPositions = new ArrayList<>();
    final PackedBatch packed;
    final int[] ids;
    final int[] positions;
    final int[] types;
    /** Rows whose masked-LM logits are wanted, and where among them each row is, or -1. */
    final int[] wanted;
    final int[] wantedAt;
    int wantedCount;
    private int pages;

    EncoderBatch(EncoderSession session, int capacity) {
        this.session = session;
        packed = new PackedBatch(capacity);
        ids = new int[capacity];
        positions = new int[capacity];
        types = new int[capacity];
        wanted = new int[capacity];
        wantedAt = new int[capacity];
    }

    /** Takes everything out. */
    public void clear() {
        Arrays.fill(packed.pages, 0, packed.sequences, null);
        packed.sequences = 0;
        rowsOfPositions.clear();
        wantedCount = 0;
        pages = 0;
    }

    /** Sequences taken. */
    public int sequences() {
        return packed.sequences;
    }

    /** Tokens taken: those that are attended to. */
    public int rows() {
        return packed.rows();
    }

    /**
     * Whether another sequence fits that attends to so many tokens. The first one always fits, if the model's context
     * does.
     */
    public boolean fits(int tokens) {
        return packed.sequences == 0 || rows() + tokens <= session.maxBatchTokens()
                && pages + pagesOf(tokens) <= session.maxPages();
    }

    private static int pagesOf(int tokens) {
        return Math.ceilDiv(tokens, KeyValueMemory.POSITIONS);
    }

    /**
     * Adds a sequence.
     *
     * @param vocabularyAt the positions whose masked-LM logits are wanted
     * @throws IllegalArgumentException for an id or type outside the model's tables, a sequence that is longer than the
     *                                  context or attends to nothing, or one that does not fit any more
     * @throws IllegalStateException    if masked-LM logits are wanted of a model without that head
     */
    public void add(EncoderInput input, int... vocabularyAt) {
        int length = input.length();
        int kept = (int) Arrays.stream(input.attentionMask()).filter(mask -> mask == 1).count();
        check(input, kept, vocabularyAt);
        int sequence = packed.sequences++;
        int row = packed.starts[sequence];
        int[] rows = new int[length];
        Arrays.fill(rows, NO_ROW);
        for (int i = 0; i < length; i++) {
            if (input.attentionMask()[i] == 1) {
                ids[row] = input.ids()[i];
                positions[row] = i;
                types[row] = input.typeIds()[i];
                wantedAt[row] = -1;
                rows[i] = row++;
            }
        }
        rowsOfPositions.add(rows);
        packed.starts[sequence + 1] = row;
        packed.seenByAll[sequence] = session.model().config().decoder() ? 0 : kept;
        packed.pages[sequence] = new int[pagesOf(kept)];
        for (int i = 0; i < packed.pages[sequence].length; i++) {
            packed.pages[sequence][i] = pages++;
        }
        for (int position : vocabularyAt) {
            int at = rows[position];
            if (wantedAt[at] < 0) {
                wantedAt[at] = wantedCount;
                wanted[wantedCount++] = at;
            }
        }
    }

    private void check(EncoderInput input, int kept, int[] vocabularyAt) {
        BertConfig config = session.model().config();
        int length = input.length();
        if (kept == 0) {
            throw new IllegalArgumentException("a sequence of " + length + " tokens, none of which is attended to;"
                    + " expected at least one");
        }
        if (length > config.contextLength()) {
            throw new IllegalArgumentException("a sequence of " + length + " tokens; the model's context length is "
                    + config.contextLength());
        }
        if (!fits(kept)) {
            throw new IllegalArgumentException(kept + " tokens do not fit into a batch that has " + rows() + " of "
                    + session.maxBatchTokens() + " (a sequence takes room in steps of " + KeyValueMemory.POSITIONS
                    + ")");
        }
        for (int i = 0; i < length; i++) {
            check("token id", input.ids()[i], config.vocabularySize());
            check("token type", input.typeIds()[i], config.typeVocabularySize());
        }
        if (vocabularyAt.length > 0) {
            session.model().require(Bert.Head.MASKED_LM);
        }
        for (int position : vocabularyAt) {
            Objects.checkIndex(position, length);
            if (input.attentionMask()[position] == 0) {
                throw new IllegalArgumentException(
                        "logits are wanted at position " + position + ", which is not attended to");
            }
        }
    }

    private static void check(String what, int value, int size) {
        if (value < 0 || value >= size) {
            throw new IllegalArgumentException(what + " " + value + "; the model has 0 to " + (size - 1));
        }
    }

    /** Number of tokens of a sequence, those that are not attended to included. */
    public int length(int sequence) {
        return rowsOfPositions.get(sequence).length;
    }

    /** The row of a position, as a {@link Trace} counts them; -1 if it is not attended to. */
    public int row(int sequence, int position) {
        return rowsOfPositions.get(sequence)[position];
    }
}
