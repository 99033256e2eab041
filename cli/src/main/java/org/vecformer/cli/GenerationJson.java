package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Locale;
import org.vecformer.engine.generation.GenerationResult;

/** The result of a generation as JSON and in words. */
final class GenerationJson {
    private GenerationJson() {
    }

    /**
     * Writes {@code {"prompt_ids":[],"sequences":[{"text":"","ids":[],"finish_reason":""}],"timing":{}}}.
     *
     * @param text the sequence's text; null without a tokenizer
     * @param ids the sequence's ids
     */
    static void write(JsonGenerator json, GenerationResult result, String text, int[] ids, double loadSeconds)
            throws IOException {
        json.writeStartObject();
        JsonResult.ints(json, "prompt_ids", result.promptIds());
        json.writeArrayFieldStart("sequences");
        json.writeStartObject();
        json.writeStringField("text", text);
        JsonResult.ints(json, "ids", ids);
        json.writeStringField("finish_reason", reason(result));
        json.writeEndObject();
        json.writeEndArray();
        json.writeObjectFieldStart("timing");
        json.writeNumberField("load_seconds", loadSeconds);
        json.writeNumberField("prompt_seconds", result.timing().promptSeconds());
        json.writeNumberField("generation_seconds", result.timing().generationSeconds());
        json.writeNumberField("tokens_per_second", result.timing().tokensPerSecond());
        json.writeEndObject();
        json.writeEndObject();
    }

    /** What was done and how fast, for standard error. */
    static String summary(GenerationResult result, int newTokens) {
        return String.format(Locale.ROOT,
                "%d prompt tokens, %d new (%s); prompt %.2f s, generation %.2f s, %.1f tokens/s",
                result.promptIds().length, newTokens, reason(result), result.timing().promptSeconds(),
                result.timing().generationSeconds(), result.timing().tokensPerSecond());
    }

    private static String reason(GenerationResult result) {
        return result.finishReason().name().toLowerCase(Locale.ROOT);
    }
}
