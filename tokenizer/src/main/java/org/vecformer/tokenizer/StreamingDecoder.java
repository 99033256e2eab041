package org.vecformer.tokenizer;

/**
 * Decodes ids one at a time and never shows half a character: what depends on ids still to come waits for them. All
 * pieces of text together, {@link #finish()} included, are exactly what {@link Tokenizer#decode(int[], boolean)} gives
 * for all ids. Belongs to one thread at a time.
 */
public final class StreamingDecoder {
    private final Pieces pieces;
    private final StringBuilder text = new StringBuilder();

    /** How one kind of tokenizer writes its ids; holds what is unfinished. */
    interface Pieces {
        /** Appends the text that became complete with an id. */
        void accept(int id, StringBuilder text);

        /** Appends what is left, and starts anew. */
        void finish(StringBuilder text);
    }

    StreamingDecoder(Pieces pieces) {
        this.pieces = pieces;
    }

    /**
     * Takes the next id.
     *
     * @return the text that became complete with it, empty in the middle of a character
     * @throws IllegalArgumentException if the id is negative
     */
    public String accept(int id) {
        pieces.accept(id, text);
        return take();
    }

    /** Ends the text: an unfinished character becomes U+FFFD. The decoder is then ready for another text. */
    public String finish() {
        pieces.finish(text);
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
