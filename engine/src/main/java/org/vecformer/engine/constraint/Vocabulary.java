package org.vecformer.engine.constraint;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.vecformer.tokenizer.Tokenizer;

/**
 * The tokens of a tokenizer as constraints see them: by the bytes they spell. Made once for a tokenizer, in a tenth of a
 * second for GPT-2's, and shared by all constraints. Thread-safe.
 * <p>
 * Special tokens, end tokens and tokens of no bytes are never text. Remembers the {@value #REMEMBERED} constraints that
 * were last asked for.
 */
public final class Vocabulary {
    static final int REMEMBERED = 8;

    private final int size;
    private final int[] endTokens;
    /** By id: the bytes of a token behind others, and of one that a text begins with; null if it is no text. */
    private final byte[][] spelled;
    private final byte[][] spelledFirst;
    private final TokenTrie first;
    private final TokenTrie later;
    private final Map<Object, Constraint> constraints = new LinkedHashMap<>(16, 0.75f, true);

    private Vocabulary(Tokenizer tokenizer, int[] endTokens) {
        size = tokenizer.vocabularySize();
        this.endTokens = IntStream.of(endTokens).sorted().distinct().toArray();
        for (int id : this.endTokens) {
            if (id < 0) {
                throw new IllegalArgumentException("The end token " + id + " is negative");
            }
        }
        spelled = new byte[size][];
        byte[][] atStart = new byte[size][];
        boolean same = true;
        for (int id = 0; id < size; id++) {
            if (!tokenizer.contains(id) || tokenizer.isSpecial(id) || isEndToken(id)) {
                continue;
            }
            atStart[id] = text(tokenizer.tokenBytes(id, true));
            spelled[id] = text(tokenizer.tokenBytes(id, false));
            same &= Arrays.equals(atStart[id], spelled[id]);
        }
        later = new TokenTrie(spelled);
        first = same ? later : new TokenTrie(atStart);
        spelledFirst = same ? spelled : atStart;
    }

    private static byte[] text(byte[] bytes) {
        return bytes.length == 0 ? null : bytes;
    }

    /** The vocabulary of a tokenizer, whose own end token ends a text. */
    public static Vocabulary of(Tokenizer tokenizer) {
        return of(tokenizer, tokenizer.endOfText().stream().toArray());
    }

    /**
     * The vocabulary of a tokenizer.
     *
     * @param endTokens the ids that end a text, and are no text themselves; perhaps none
     * @throws IllegalArgumentException if one is negative
     */
    public static Vocabulary of(Tokenizer tokenizer, int... endTokens) {
        return new Vocabulary(tokenizer, endTokens);
    }

    /** The ids that end a text, ascending. */
    public int[] endTokens() {
        return endTokens.clone();
    }

    boolean isEndToken(int id) {
        return Arrays.binarySearch(endTokens, id) >= 0;
    }

    /** Whether the id spells something. */
    boolean isText(int id) {
        return bytes(id, false) != null;
    }

    /** The bytes of a token that is text; null if it is not. */
    byte[] bytes(int id, boolean isFirst) {
        return id < 0 || id >= size ? null : isFirst ? spelledFirst[id] : spelled[id];
    }

    /** Words of a bit set over all ids. */
    int words() {
        return size + 63 >> 6;
    }

    /** The tokens that a text can begin with. */
    TokenTrie first() {
        return first;
    }

    /** The tokens as they are behind others; mostly the same object. */
    TokenTrie later() {
        return later;
    }

    /** What was made for this key, or else is made now. */
    Constraint constraint(Object key, Supplier<Constraint> maker) {
        synchronized (constraints) {
            Constraint known = constraints.get(key);
            if (known != null) {
                return known;
            }
        }
        // Not under the lock: a large one takes its time.
        Constraint made = maker.get();
        synchronized (constraints) {
            Constraint known = constraints.putIfAbsent(key, made);
            if (constraints.size() > REMEMBERED) {
                constraints.remove(constraints.keySet().iterator().next());
            }
            return known != null ? known : made;
        }
    }
}
