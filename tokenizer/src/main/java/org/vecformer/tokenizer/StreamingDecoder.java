package org.vecformer.tokenizer;

/**
 * Decodes ids one at a time and never shows half a character: bytes of an unfinished UTF-8 sequence wait for the ids
 * that complete it, or that show it to be malformed. All pieces of text together, {@link #finish()} included, are
 * exactly what {@link Tokenizer#decode(int[], boolean)} gives for all ids. Belongs to one thread at a time.
 */
public final class StreamingDecoder {
    private final TokenBytes bytes;
    private final boolean skipSpecialTokens;
    private final Utf8Decoder decoder = new Utf8Decoder();
    private final StringBuilder text = new StringBuilder();

    StreamingDecoder(TokenBytes bytes, boolean skipSpecialTokens) {
        this.bytes = bytes;
        this.skipSpecialTokens = skipSpecialTokens;
    }

    /**
     * Takes the next id.
     *
     * @return the text that became complete with it, empty in the middle of a character
     * @throws IllegalArgumentException if the id is negative
     */
    public String accept(int id) {
        byte[] next = bytes.of(id, skipSpecialTokens);
        decoder.decode(next, next.length, text);
        return take();
    }

    /** Ends the text: an unfinished character becomes U+FFFD. The decoder is then ready for another text. */
    public String finish() {
        decoder.finish(text);
        return take();
    }

    private String take() {
        if (text.isEmpty()) {
            return "";
        }
        String complete = text.toString();
        text.setLength(0);
        return complete;
    }
}
