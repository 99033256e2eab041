package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import org.vecformer.loader.DType;

/** Results as JSON, one line each. */
final class JsonResult {
    // A line goes out as a whole, with its end: whoever ends the process between two writes would leave half of it.
    private static final JsonFactory FACTORY = new JsonFactory().disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
            .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);

    /** What fills a line. */
    interface Content {
        void write(JsonGenerator json) throws IOException;
    }

    private JsonResult() {
    }

    /** Writes one line and flushes it. */
    static void line(StandardOutput out, Content content) throws IOException {
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            content.write(json);
        }
        out.write('\n');
        out.flush();
    }

    static void ints(JsonGenerator json, String name, int[] values) throws IOException {
        json.writeFieldName(name);
        json.writeArray(values, 0, values.length);
    }

    static void strings(JsonGenerator json, String name, List<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    static void tensor(JsonGenerator json, String name, DType dtype, List<Long> shape) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeStringField("dtype", dtype.name());
        json.writeArrayFieldStart("shape");
        // The format's sizes are unsigned: next to a dimension of 0 another one may be beyond a long.
        for (long dimension : shape) {
            json.writeNumber(Long.toUnsignedString(dimension));
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
