package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenLogprob;
import org.vecformer.engine.generation.TokenScore;
import org.vecformer.tokenizer.Tokenizer;

/** The result of a generation as JSON and in words. */
final class GenerationJson {
    private GenerationJson() {
    }

    /**
     * Writes {@code {"prompt_ids":[],"sequences":[{"text":"","ids":[],"finish_reason":""}],"timing":{}}}; each sequence
     * has its {@code score}, if it has one.
     *
     * @param tokenizer null for no texts
     * @param logprobs whether each sequence has {@code logprobs}
     */
    static void write(JsonGenerator json, GenerationResult result, Tokenizer tokenizer, boolean logprobs,
            double loadSeconds) throws IOException {
        json.writeStartObject();
        JsonResult.ints(json, "prompt_ids", result.promptIds());
        json.writeArrayFieldStart("sequences");
        for (GeneratedSequence sequence : result.sequences()) {
            json.writeStartObject();
            json.writeStringField("text", tokenizer == null ? null : sequence.text());
            JsonResult.ints(json, "ids", sequence.ids());
            json.writeStringField("finish_reason", reason(sequence));
            if (sequence.score().isPresent()) {
                json.writeNumberField("score", sequence.score().getAsDouble());
            }
            if (logprobs) {
                writeLogprobs(json, sequence.logprobs(), tokenizer);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeObjectFieldStart("timing");
        json.writeNumberField("load_seconds", loadSeconds);
        json.writeNumberField("prompt_seconds", result.timing().promptSeconds());
        json.writeNumberField("generation_seconds", result.timing().generationSeconds());
        json.writeNumberField("tokens_per_second", result.timing().tokensPerSecond());
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void writeLogprobs(JsonGenerator json, List<TokenScore> scores, Tokenizer tokenizer)
            throws IOException {
        json.writeArrayFieldStart("logprobs");
        for (TokenScore score : scores) {
            json.writeStartObject();
            json.writeNumberField("id", score.id());
            json.writeNumberField("logprob", score.logprob());
            json.writeArrayFieldStart("top");
            for (TokenLogprob token : score.top()) {
                json.writeStartObject();
                json.writeNumberField("id", token.id());
                json.writeStringField("token", text(tokenizer, token.id()));
                json.writeNumberField("logprob", token.logprob());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** What a token spells; null without a tokenizer. A model may have more outputs than its tokenizer tokens. */
    private static String text(Tokenizer tokenizer, int id) {
        return tokenizer == null ? null : tokenizer.contains(id) ? tokenizer.decode(new int[]{id}) : "";
    }

    /** What was done and how fast, for standard error. */
    static String summary(GenerationResult result, int newTokens) {
        return String.format(Locale.ROOT,
                "%d prompt tokens, %d new (%s); prompt %.2f s, generation %.2f s, %.1f tokens/s%s",
                result.promptIds().length, newTokens,
                result.sequences().stream().map(GenerationJson::reason).distinct().collect(Collectors.joining(", ")),
                result.timing().promptSeconds(), result.timing().generationSeconds(),
                result.timing().tokensPerSecond(),
                result.timing().tokensPerStep() > 1
                        ? String.format(Locale.ROOT, ", %.1f tokens a step", result.timing().tokensPerStep())
                        : "");
    }

    /** Why it ended, as JSON tells it. */
    static String reason(GeneratedSequence sequence) {
        return sequence.finishReason().name().toLowerCase(Locale.ROOT);
    }
}
