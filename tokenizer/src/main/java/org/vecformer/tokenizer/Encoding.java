package org.vecformer.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ids of one text, or of a pair of texts, with their tokens and offsets. Immutable and thread-safe; arrays that are
 * handed out are copies.
 *
 * <p>An offset is a half-open range of the text that {@link #textOf(int)} names, as it was given: before lower-casing,
 * accent stripping or any other change. Where a character is cut into several tokens, each of them covers the whole
 * character in {@link OffsetUnit#CHARS} and {@link OffsetUnit#CODE_POINTS} (as the reference has it), while for
 * byte-level BPE {@link OffsetUnit#BYTES} tells the exact bytes of each token. Ids that the tokenizer adds around a text
 * (a begin token, say) have the empty range 0, 0.
 */
public final class Encoding {
    private final String[] names;
    private final int[] ids;
    private final int[] typeIds;
    private final int[] attentionMask;
    private final int[] texts;
    private final int[] words;
    private final Offsets offsets;
    private final boolean truncated;

    /** Takes the arrays as they are; {@code names} are the tokens by id. */
    Encoding(String[] names, int[] ids, int[] typeIds, int[] attentionMask, int[] texts, int[] words, Offsets offsets,
            boolean truncated) {
        this.names = names;
        this.ids = ids;
        this.typeIds = typeIds;
        this.attentionMask = attentionMask;
        this.texts = texts;
        this.words = words;
        this.offsets = offsets;
        this.truncated = truncated;
    }

    /**
     * The encodings, each filled up to the length of the longest.
     *
     * @throws IllegalArgumentException if there is something to fill up and the tokenizer has no padding token
     */
    public static List<Encoding> pad(List<Encoding> batch, Tokenizer tokenizer) {
        return pad(batch, tokenizer, 0);
    }

    /**
     * The encodings, each filled up to the length of the longest, rounded up to a multiple (0 or 1 for none).
     *
     * @throws IllegalArgumentException if there is something to fill up and the tokenizer has no padding token
     */
    public static List<Encoding> pad(List<Encoding> batch, Tokenizer tokenizer, int multipleOf) {
        int longest = 0;
        for (Encoding encoding : batch) {
            longest = Math.max(longest, encoding.size());
        }
        int length = EncodingOptions.defaults().withPadToMultipleOf(multipleOf).paddedLength(longest);
        List<Encoding> padded = new ArrayList<>(batch.size());
        for (Encoding encoding : batch) {
            padded.add(encoding.padded(length, tokenizer));
        }
        return padded;
    }

    /**
     * This encoding filled up with padding tokens (type 0, attention 0) to a length, at its end or, where
     * {@link Tokenizer#padsLeft()}, at its start; this very encoding if it is long enough.
     *
     * @throws IllegalArgumentException if there is something to fill up and the tokenizer has no padding token
     */
    public Encoding padded(int length, Tokenizer tokenizer) {
        int size = ids.length;
        if (length <= size) {
            return this;
        }
        int padding = tokenizer.padding().orElseThrow(() -> new IllegalArgumentException("the tokenizer has no padding"
                + " token, so " + size + " ids cannot be filled up to " + length));
        int at = tokenizer.padsLeft() ? length - size : 0;
        Offsets moved = Offsets.none(length);
        offsets.copy(0, moved, at, size);
        return new Encoding(names, filled(ids, length, at, padding), filled(typeIds, length, at, 0),
                filled(attentionMask, length, at, 0), filled(texts, length, at, -1), filled(words, length, at, -1),
                moved, truncated);
    }

    private static int[] filled(int[] values, int length, int at, int fill) {
        int[] filled = new int[length];
        Arrays.fill(filled, fill);
        System.arraycopy(values, 0, filled, at, values.length);
        return filled;
    }

    /** How many ids there are. */
    public int size() {
        return ids.length;
    }

    /** The ids, in the order of the text. */
    public int[] ids() {
        return ids.clone();
    }

    /** For each id its token type (segment): 0 for the first text, 1 for the second, as the model's template says. */
    public int[] typeIds() {
        return typeIds.clone();
    }

    /** For each id 1, or 0 if it is padding. */
    public int[] attentionMask() {
        return attentionMask.clone();
    }

    /** The text the id at this index comes from: 0 the first, 1 the second of a pair, -1 for none. */
    public int textOf(int index) {
        return texts[index];
    }

    /**
     * The index, in its text, of the word that the id at this index belongs to; -1 for special tokens around the text
     * and padding. A word is what the tokenizer cuts before it looks into its vocabulary, so punctuation is a word; an
     * added token in the text is one too.
     */
    public int wordOf(int index) {
        return words[index];
    }

    /** Whether text was cut off, so that this encoding does not hold all of it. */
    public boolean truncated() {
        return truncated;
    }

    /** The tokens of the ids, spelt as in the vocabulary ({@code Ġmovie}, {@code ##ing}). */
    public List<String> tokens() {
        List<String> tokens = new ArrayList<>(ids.length);
        for (int id : ids) {
            tokens.add(names[id]);
        }
        return List.copyOf(tokens);
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
        return tokens().toString();
    }
}
