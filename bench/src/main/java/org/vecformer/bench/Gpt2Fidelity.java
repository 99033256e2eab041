package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.Evaluator;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.tokenizer.Tokenizer;

/** How near a GPT-2 is to the one with float32 weights. */
final class Gpt2Fidelity {

    private final Gpt exact;
    private final Tokenizer tokenizer;
    private final Path text;
    private final int[] ids;
    private double exactPerplexity;

    /** @param tokens of the text's beginning whose logits are compared, in windows of the context length */
    Gpt2Fidelity(Gpt exact, Tokenizer tokenizer, Path text, int tokens) throws IOException {
        this.exact = exact;
        this.tokenizer = tokenizer;
        this.text = text;
        int[] all = tokenizer.ids(Files.readString(text));
        ids = Arrays.copyOf(all, Math.min(tokens, all.length));
    }

    /**
     * Perplexity, in windows of the context length side by side; differences of all logits. The float32 model itself
     * comes first.
     */
    Map<String, Double> of(Gpt model) throws IOException {
        Map<String, Double> numbers = new LinkedHashMap<>();
        try (Evaluator evaluator = Evaluator.open(model, tokenizer)) {
            int window = model.config().contextLength();
            ScoringOptions options = ScoringOptions.defaults().withWindow(window).withStride(window);
            double perplexity = evaluator.perplexity(text, options, TaskProgress.NONE).perplexity();
            exactPerplexity = exactPerplexity == 0 ? perplexity : exactPerplexity;
            numbers.put("perplexity", perplexity);
            numbers.put("of f32", perplexity / exactPerplexity);
        }
        compareLogits(model, numbers);
        return numbers;
    }

    private void compareLogits(Gpt model, Map<String, Double> numbers) {
        double largest = 0;
        double sum = 0;
        int same = 0;
        int window = model.config().contextLength();
        SessionOptions options = SessionOptions.defaults().withMaxBatchTokens(window);
        try (Session a = exact.openSession(options); Session b = model.openSession(options)) {
            float[] expected = new float[exact.outputs()];
            float[] actual = new float[exact.outputs()];
            for (int from = 0; from < ids.length; from += window) {
                int[] part = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + window));
                step(a, part);
                step(b, part);
                for (int i = 0; i < part.length; i++) {
                    a.logits(i, expected);
                    b.logits(i, actual);
                    for (int n = 0; n < expected.length; n++) {
                        double difference = Math.abs((double) expected[n] - actual[n]);
                        largest = Math.max(largest, difference);
                        sum += difference;
                    }
                    same += BertFidelity.top(expected) == BertFidelity.top(actual) ? 1 : 0;
                }
            }
        }
        numbers.put("largest logit difference", largest);
        numbers.put("mean", sum / ids.length / exact.outputs());
        numbers.put("same next token", (double) same / ids.length);
    }

    private static void step(Session session, int[] ids) {
        try (var sequence = session.newSequence()) {
            session.batch().clear();
            session.batch().add(sequence, ids, 0, ids.length, Logits.ALL);
            session.step(session.batch());
        }
    }
}
