package org.vecformer.tokenizer;

/**
 * Cuts text where the GPT-2 pattern {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}
 * does, without a regular expression engine. The pattern matches at every position, so words follow each other without
 * gaps.
 */
final class PreTokenizer {
    private static final byte LETTER = 0;
    private static final byte NUMBER = 1;
    private static final byte SPACE = 2;
    private static final byte OTHER = 3;
    private static final byte[] LATIN = new byte[256];

    static {
        for (int c = 0; c < LATIN.length; c++) {
            LATIN[c] = classify(c);
        }
    }

    private PreTokenizer() {}

    /**
     * The end of the word that starts at {@code start}.
     *
     * @param start less than {@code end}
     */
    static int next(char[] text, int start, int end) {
        char first = text[start];
        int at = start;
        if (first == ' ') {
            at++;
            if (at == end) {
                return end;
            }
        } else if (first == '\'') {
            int length = contraction(text, start, end);
            if (length > 0) {
                return start + length;
            }
        }
        char c = text[at];
        byte kind = c < LATIN.length ? LATIN[c] : classify(Utf8.codePoint(text, at, end));
        return kind == SPACE ? spaces(text, start, end) : run(text, at, end, kind);
    }

    /** Unicode's White_Space, which is what {@code \s} means in the pattern; all of it is in the basic plane. */
    static boolean isSpace(int c) {
        return c <= ' '
                ? c == ' ' || c >= '\t' && c <= '\r'
                : c == 0x85 || c == 0xA0 || c >= 0x1680 && isWideSpace(c);
    }

    private static boolean isWideSpace(int c) {
        return c == 0x1680 || c >= 0x2000 && c <= 0x200A || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F
                || c == 0x3000;
    }

    private static int contraction(char[] text, int start, int end) {
        if (start + 1 >= end) {
            return 0;
        }
        char second = text[start + 1];
        if (second == 's' || second == 't' || second == 'm' || second == 'd') {
            return 2;
        }
        if (start + 2 >= end) {
            return 0;
        }
        char third = text[start + 2];
        boolean matches = third == 'e' && (second == 'r' || second == 'v') || third == 'l' && second == 'l';
        return matches ? 3 : 0;
    }

    private static int run(char[] text, int start, int end, byte kind) {
        int at = start;
        while (at < end) {
            char c = text[at];
            if (c < LATIN.length) {
                if (LATIN[c] != kind) {
                    return at;
                }
                at++;
            } else {
                int codePoint = Utf8.codePoint(text, at, end);
                if (classify(codePoint) != kind) {
                    return at;
                }
                at += Character.charCount(codePoint);
            }
        }
        return at;
    }

    /** White space up to the end is one word; before anything else it leaves its last character to what follows. */
    private static int spaces(char[] text, int start, int end) {
        int at = start + 1;
        while (at < end && isSpace(text[at])) {
            at++;
        }
        return at == end || at == start + 1 ? at : at - 1;
    }

    private static byte classify(int codePoint) {
        if (isSpace(codePoint)) {
            return SPACE;
        }
        return switch (Character.getType(codePoint)) {
            case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER, Character.OTHER_LETTER ->
                LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            default -> OTHER;
        };
    }
}
