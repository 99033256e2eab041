package org.vecformer.engine.generation;

import java.util.Arrays;
import org.vecformer.tokenizer.StreamingDecoder;
import org.vecformer.tokenizer.Tokenizer;

/**
 * The text of a continuation as its tokens come: shows what is certain, holds back what may be the beginning of a stop
 * text, and ends at one.
 */
final class TextStream {

    private final Tokenizer tokenizer;
    private final StreamingDecoder decoder;
    private final StopTexts stopTexts;
    private final boolean includeStop;
    private final int[] endTokens;
    private final StringBuilder text = new StringBuilder();
    private int shown;
    private boolean stopped;

    /**
     * @param tokenizer null if no text is wanted; then there must be no stop texts
     * @param endTokens sorted; their text is not shown
     */
    TextStream(Tokenizer tokenizer, StopTexts stopTexts, boolean includeStop, int[] endTokens) {
        this.tokenizer = tokenizer;
        decoder = tokenizer == null ? null : tokenizer.streamingDecoder(true);
        this.stopTexts = stopTexts;
        this.includeStop = includeStop;
        this.endTokens = endTokens;
    }

    /** Takes the next token and gives what can be shown now. */
    String accept(int id) {
        if (decoder == null || !tokenizer.contains(id) || Arrays.binarySearch(endTokens, id) >= 0) {
            return "";
        }
        return append(decoder.accept(id), false);
    }

    /** Ends the text and gives what had been held back. */
    String finish() {
        return decoder == null ? "" : append(stopped ? "" : decoder.finish(), true);
    }

    private String append(String piece, boolean end) {
        if (piece.isEmpty() && !end) {
            return "";
        }
        int before = text.length();
        text.append(piece);
        StopTexts.Match match = stopped ? null : stopTexts.find(text, before);
        if (match != null) {
            stopped = true;
            text.setLength(includeStop ? match.end() : match.start());
        }
        int certain = text.length() - (stopped || end ? 0 : stopTexts.pending(text));
        if (certain <= shown) {
            return "";
        }
        String news = text.substring(shown, certain);
        shown = certain;
        return news;
    }

    /** Whether a stop text was found. */
    boolean isStopped() {
        return stopped;
    }

    /** All of the text so far, that which is held back included. */
    CharSequence text() {
        return text;
    }
}
