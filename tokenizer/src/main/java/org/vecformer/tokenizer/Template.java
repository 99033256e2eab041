package org.vecformer.tokenizer;

import java.util.List;

/**
 * Where the special tokens stand around one text, and around a pair of texts.
 *
 * @param pair null if the files do not say how a pair is put together
 */
record Template(List<Piece> single, List<Piece> pair) {
    /** No special tokens; the second text of a pair has type 1, as in the reference. */
    static final Template NOTHING = around(new int[0], new int[0]);

    /**
     * One part of a template.
     *
     * @param text 0 for the first text, 1 for the second, -1 for special tokens
     * @param ids the special tokens; empty for a text
     * @param type the token type of the part
     */
    record Piece(int text, int[] ids, int type) {
        static Piece text(int text, int type) {
            return new Piece(text, new int[0], type);
        }

        static Piece special(int type, int... ids) {
            return new Piece(-1, ids, type);
        }
    }

    /** The same special tokens around every text. */
    static Template around(int[] before, int[] after) {
        Piece first = Piece.special(0, before);
        Piece last = Piece.special(0, after);
        return new Template(List.of(first, Piece.text(0, 0), last),
                List.of(first, Piece.text(0, 0), last, Piece.special(1, before), Piece.text(1, 1),
                        Piece.special(1, after)));
    }

    /** {@code [CLS] A [SEP]} and {@code [CLS] A [SEP] B [SEP]} with types 0 and 1 (Devlin et al. 2018, figure 2). */
    static Template bert(int classification, int separator) {
        Piece begin = Piece.special(0, classification);
        Piece between = Piece.special(0, separator);
        return new Template(List.of(begin, Piece.text(0, 0), between),
                List.of(begin, Piece.text(0, 0), between, Piece.text(1, 1), Piece.special(1, separator)));
    }

    /** The special tokens before one text, or after it. */
    int[] aroundSingle(boolean before) {
        IntList ids = new IntList(0);
        boolean isBefore = true;
        for (Piece piece : single) {
            if (piece.text() >= 0) {
                isBefore = false;
            } else if (isBefore == before) {
                ids.addAll(piece.ids(), piece.ids().length);
            }
        }
        return ids.toArray();
    }

    /** How many special tokens the parts add. */
    static int added(List<Piece> pieces) {
        int added = 0;
        for (Piece piece : pieces) {
            added += piece.ids().length;
        }
        return added;
    }
}
