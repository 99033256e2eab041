package org.vecformer.engine.model;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import org.vecformer.tokenizer.Encoding;

/**
 * One sequence for an encoder: token ids, the type of each token (0 in the first text, 1 in the second), and whether
 * it is attended to. The three always have the same length. Treat the arrays as immutable: nobody copies them.
 *
 * @param ids           token ids
 * @param typeIds       token types; null for 0 everywhere
 * @param attentionMask 1 for a token that is attended to, 0 for padding; null for 1 everywhere
 */
public record EncoderInput(int[] ids, int[] typeIds, int[] attentionMask) {

    /**
     * @throws IllegalArgumentException if the lengths differ, or the mask has another number than 0 and 1
     */
    public EncoderInput {
        Objects.requireNonNull(ids, "ids");
        typeIds = typeIds == null ? new int[ids.length] : typeIds;
        attentionMask = attentionMask == null ? ones(ids.length) : attentionMask;
        if (typeIds.length != ids.length || attentionMask.length != ids.length) {
            throw new IllegalArgumentException(ids.length + " token ids, " + typeIds.length + " token types and "
                    + attentionMask.length + " numbers of an attention mask; expected as many of each");
        }
        for (int mask : attentionMask) {
            if (mask != 0 && mask != 1) {
                throw new IllegalArgumentException("the attention mask has a " + mask + "; expected 0 or 1");
            }
        }
    }

    private static int[] ones(int length) {
        int[] ones = new int[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** Tokens of type 0, all attended to. */
    public static EncoderInput of(int... ids) {
        return new EncoderInput(ids, null, null);
    }

    /** What a tokenizer made of a text or a pair. */
    public static EncoderInput of(Encoding encoding) {
        return new EncoderInput(encoding.ids(), encoding.typeIds(), encoding.attentionMask());
    }

    /** Number of tokens, padding included. */
    public int length() {
        return ids.length;
    }

    /** The same with another token at a position. */
    public EncoderInput with(int position, int id) {
        int[] changed = ids.clone();
        changed[position] = id;
        return new EncoderInput(changed, typeIds, attentionMask);
    }

    /** The same with the mask token at these positions. */
    public EncoderInput withMasksAt(int maskId, int... positions) {
        int[] changed = ids.clone();
        for (int position : positions) {
            changed[Objects.checkIndex(position, ids.length)] = maskId;
        }
        return new EncoderInput(changed, typeIds, attentionMask);
    }

    /**
     * The same with more tokens at the end of its last text: before the last separator, or behind everything that is
     * attended to if there is none. They are attended to, and have the type of that text.
     */
    public EncoderInput insertBeforeLast(int separatorId, int... tokens) {
        int end = ids.length;
        while (end > 0 && attentionMask[end - 1] == 0) {
            end--;
        }
        int last = end - 1;
        while (last >= 0 && ids[last] != separatorId) {
            last--;
        }
        int at = last < 0 ? end : last;
        int type = end == 0 ? 0 : typeIds[last < 0 ? end - 1 : last];
        return new EncoderInput(inserted(ids, at, tokens), inserted(typeIds, at, filled(tokens.length, type)),
                inserted(attentionMask, at, filled(tokens.length, 1)));
    }

    private static int[] filled(int length, int value) {
        int[] filled = new int[length];
        Arrays.fill(filled, value);
        return filled;
    }

    private static int[] inserted(int[] all, int at, int[] more) {
        int[] longer = Arrays.copyOf(all, all.length + more.length);
        System.arraycopy(more, 0, longer, at, more.length);
        System.arraycopy(all, at, longer, at + more.length, all.length - at);
        return longer;
    }

    /** Where this token stands, in ascending order. */
    public int[] positionsOf(int id) {
        return IntStream.range(0, ids.length).filter(i -> ids[i] == id).toArray();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EncoderInput that && Arrays.equals(ids, that.ids)
                && Arrays.equals(typeIds, that.typeIds) && Arrays.equals(attentionMask, that.attentionMask);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(ids), Arrays.hashCode(typeIds), Arrays.hashCode(attentionMask));
    }

    @Override
    public String toString() {
        return "EncoderInput[ids=" + Arrays.toString(ids) + ", typeIds=" + Arrays.toString(typeIds)
                + ", attentionMask=" + Arrays.toString(attentionMask) + "]";
    }
}
