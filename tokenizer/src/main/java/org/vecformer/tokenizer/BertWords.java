package org.vecformer.tokenizer;

/**
 * Cuts normalized text into words as BERT does ({@code pre_tokenizers/bert.rs} of the Hugging Face tokenizers library):
 * white space separates words and belongs to none, each punctuation character is a word of its own.
 */
final class BertWords {
    private static final int NO_LETTER = BertCharacters.SPACE | BertCharacters.PUNCTUATION;
    /** The kinds of ASCII, so that plain English needs no other tables. */
    private static final byte[] ASCII = new byte[0x80];

    static {
        for (int c = 0; c < ASCII.length; c++) {
            if (PreTokenizer.isSpace(c)) {
                ASCII[c] = BertCharacters.SPACE;
            } else if (c > ' ' && c < 0x7F && !Character.isLetterOrDigit(c)) {
                ASCII[c] = BertCharacters.PUNCTUATION;
            }
        }
    }

    private BertWords() {}

    /** Where the next word starts, at or after {@code from}; {@code to} if there is none. */
    static int start(char[] text, int from, int to) {
        int at = from;
        while (at < to) {
            char c = text[at];
            if (c < 0x80 ? ASCII[c] != BertCharacters.SPACE : !PreTokenizer.isSpace(c)) {
                return at;
            }
            at++;
        }
        return to;
    }

    /** Where the word that starts at {@code from} ends. */
    static int end(char[] text, int from, int to) {
        int at = from;
        while (at < to) {
            char c = text[at];
            int kind;
            int next = at + 1;
            if (c < 0x80) {
                kind = ASCII[c];
            } else {
                int codePoint = Utf8.codePoint(text, at, to);
                next = at + Character.charCount(codePoint);
                kind = BertCharacters.kind(codePoint) & NO_LETTER;
            }
            if (kind != 0) {
                return at == from ? next : at;
            }
            at = next;
        }
        return to;
    }
}
