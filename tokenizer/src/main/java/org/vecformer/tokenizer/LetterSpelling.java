package org.vecformer.tokenizer;

/**
 * One symbol for each character (code point); the last one of a word is the character with the mark {@link #END} behind
 * it. What the vocabulary lacks is unknown, each character on its own.
 */
final class LetterSpelling implements Spelling {
    /** Stands behind the last character of a word. */
    static final String END = "</w>";

    private final PieceTable letters = new PieceTable();
    private final PieceTable lastLetters = new PieceTable();
    private final int unknownId;

    LetterSpelling(Vocabulary vocabulary, int unknownId) {
        this.unknownId = unknownId;
        for (int id = 0; id < vocabulary.size(); id++) {
            String token = vocabulary.token(id);
            if (token == null) {
                continue;
            }
            if (isCharacter(token, token.length())) {
                letters.add(token, 0, id);
            } else if (token.endsWith(END) && isCharacter(token, token.length() - END.length())) {
                lastLetters.add(token.substring(0, token.length() - END.length()), 0, id);
            }
        }
    }

    private static boolean isCharacter(String token, int length) {
        return length == 1 || length == 2 && Character.isSurrogatePair(token.charAt(0), token.charAt(1));
    }

    @Override
    public int count(char[] text, int start, int end) {
        return Character.codePointCount(text, start, end - start);
    }

    @Override
    public int spell(char[] text, int start, int end, int[] symbols) {
        int count = 0;
        for (int at = start; at < end;) {
            int next = at + Character.charCount(Utf8.codePoint(text, at, end));
            long hash = 0;
            for (int i = at; i < next; i++) {
                hash = PieceTable.roll(hash, text[i]);
            }
            int id = (next == end ? lastLetters : letters).find(text, at, next, hash);
            symbols[count++] = id < 0 ? unknownId : id;
            at = next;
        }
        return count;
    }
}
