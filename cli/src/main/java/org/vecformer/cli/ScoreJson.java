package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.vecformer.engine.task.NextToken;

/** Log-probabilities and tokens as JSON. */
final class ScoreJson {
    private ScoreJson() {
    }

    /** The fields {@code id}, {@code token} and {@code probability}. */
    static void token(JsonGenerator json, LoadedGpt loaded, NextToken token) throws IOException {
        json.writeNumberField("id", token.id());
        json.writeStringField("token", loaded.tokenizer() == null ? null : token.text());
        json.writeNumberField("probability", token.probability());
    }

    /** A list of numbers; null for those that there are not. */
    static void numbers(JsonGenerator json, String name, double[] values) throws IOException {
        json.writeArrayFieldStart(name);
        for (double value : values) {
            number(json, value);
        }
        json.writeEndArray();
    }

    /** A number; null if it is none or beyond all bounds, which JSON cannot say. */
    static void number(JsonGenerator json, String name, double value) throws IOException {
        json.writeFieldName(name);
        number(json, value);
    }

    private static void number(JsonGenerator json, double value) throws IOException {
        if (Double.isFinite(value)) {
            json.writeNumber(value);
        } else {
            json.writeNull();
        }
    }
}
