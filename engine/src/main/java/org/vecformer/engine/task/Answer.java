package org.vecformer.engine.task;

/**
 * A piece of a context that answers a question.
 *
 * @param text       the context's own characters; empty for "there is no answer"
 * @param score      the probability of its beginning times that of its end
 * @param start      index of its first character (UTF-16 unit) in the context; -1 if the input was token ids
 * @param end        index behind its last character
 * @param startToken where its first token stands in the sequence (of a long context: in the window) it was found in
 * @param endToken   where its last token stands there
 */
public record Answer(String text, double score, int start, int end, int startToken, int endToken) {

    /** Whether this means that the context has no answer. */
    public boolean isNone() {
        return startToken == 0 && endToken == 0;
    }
}
