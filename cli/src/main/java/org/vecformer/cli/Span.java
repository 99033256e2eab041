package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * A part of a text as other programs count it: in Unicode code points.
 *
 * @param start its first character
 * @param end behind its last character
 */
record Span(int start, int end) {

    /**
     * The part of an input.
     *
     * @param start in UTF-16 units, as {@code end}; below 0 for none
     * @return null if there is none
     */
    static Span of(String text, int start, int end) {
        return start < 0 ? null : new Span(text.codePointCount(0, start), text.codePointCount(0, end));
    }

    /** The fields {@code start} and {@code end}; null if there is no span. */
    static void write(JsonGenerator json, Span span) throws IOException {
        if (span == null) {
            json.writeNullField("start");
            json.writeNullField("end");
        } else {
            json.writeNumberField("start", span.start);
            json.writeNumberField("end", span.end);
        }
    }

    /** For people: 0-3. */
    @Override
    public String toString() {
        return start + "-" + end;
    }
}
