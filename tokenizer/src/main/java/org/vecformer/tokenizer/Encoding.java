package org.vecformer.tokenizer;

import java.util.List;

/**
 * The ids of one text with their tokens and offsets. Immutable and thread-safe; arrays that are handed out are copies.
 *
 * <p>An offset is a half-open range of the text. Where a character is cut into several tokens, each of them covers the
 * whole character in {@link OffsetUnit#CHARS} and {@link OffsetUnit#CODE_POINTS} (as the reference has it), while
 * {@link OffsetUnit#BYTES} tells the exact bytes of each token. Ids that the tokenizer adds around a text (a begin
 * token, say) have the empty range 0, 0.
 */
public final class Encoding {
    private final int[] ids;
    private final List<String> tokens;
    private final Offsets offsets;

    Encoding(int[] ids, List<String> tokens, Offsets offsets) {
        this.ids = ids;
        this.tokens = List.copyOf(tokens);
        this.offsets = offsets;
    }

    /** How many ids there are. */
    public int size() {
        return ids.length;
    }

    /** The ids, in the order of the text. */
    public int[] ids() {
        return ids.clone();
    }

    /** The tokens of the ids, spelt as in the vocabulary ({@code Ġmovie}). */
    public List<String> tokens() {
        return tokens;
    }

    /** For each id a row {start, end}. */
    public int[][] offsets(OffsetUnit unit) {
        int[][] rows = new int[ids.length][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = new int[]{start(i, unit), end(i, unit)};
        }
        return rows;
    }

    /** Where the id at this index starts in the text. */
    public int start(int index, OffsetUnit unit) {
        return offsets.start(unit)[index];
    }

    /** Where the id at this index ends in the text, exclusive. */
    public int end(int index, OffsetUnit unit) {
        return offsets.end(unit)[index];
    }

    @Override
    public String toString() {
        return tokens.toString();
    }
}
