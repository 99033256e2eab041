package org.vecformer.tokenizer;

/**
 * The 256 printable characters in which a byte-level vocabulary spells bytes (openai/gpt-2, {@code bytes_to_unicode}):
 * printable Latin-1 bytes stand for themselves, the others for U+0100 and up in order. The space is {@code Ġ}, the line
 * feed {@code Ċ}.
 */
final class ByteAlphabet {
    private static final char[] SYMBOLS = new char[256];
    private static final short[] BYTES = new short[256 + 68];

    static {
        java.util.Arrays.fill(BYTES, (short) -1);
        char next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > ' ' && b < 0x7F || b > 0xA0 && b != 0xAD;
            char symbol = printable ? (char) b : next++;
            SYMBOLS[b] = symbol;
            BYTES[symbol] = (short) b;
        }
    }

    private ByteAlphabet() {}

    /** The character that spells the byte 0 to 255. */
    static char symbol(int value) {
        return SYMBOLS[value];
    }

    /** The bytes that a token spells; a token with a character outside the alphabet stands for its own UTF-8 bytes. */
    static byte[] bytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            int value = c < BYTES.length ? BYTES[c] : -1;
            if (value < 0) {
                return Utf8.encode(token);
            }
            bytes[i] = (byte) value;
        }
        return bytes;
    }
}
