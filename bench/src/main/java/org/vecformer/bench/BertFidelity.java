package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.Embedding;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.loader.SentenceConfig;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/** How near a BERT is to the one with float32 weights. */
final class BertFidelity {

    private static final int LONGEST = 128;
    /** One token of so many is masked, about as many as in pre-training. */
    private static final int EVERY = 7;

    private final Tokenizer tokenizer;
    private final EmbedderOptions embedderOptions;
    private final List<String> lines;
    private final List<Masked> masked = new ArrayList<>();
    private final List<float[]> exactLogits;
    private final double[] exactCosines;

    /** A line with masks, and what was there. */
    private record Masked(EncoderInput input, int[] positions, int[] truth) {}

    /** @param directory the model's, with its tokenizer and perhaps sentence-transformers' files */
    BertFidelity(Bert exact, Path directory, List<String> lines) throws IOException {
        tokenizer = Tokenizer.load(directory);
        embedderOptions = EmbedderOptions.of(SentenceConfig.read(directory));
        this.lines = lines;
        if (exact.has(Head.MASKED_LM)) {
            int mask = IntStream.range(0, tokenizer.vocabularySize())
                    .filter(id -> tokenizer.contains(id) && tokenizer.token(id).equals("[MASK]")).findFirst()
                    .orElseThrow(() -> new IOException("the tokenizer of " + directory + " has no [MASK]"));
            lines.forEach(line -> mask(line, mask));
        }
        exactLogits = logits(exact);
        exactCosines = cosines(exact);
    }

    private void mask(String line, int mask) {
        int[] ids = tokenizer.encode(line, null, EncodingOptions.defaults().withMaxLength(LONGEST)).ids();
        int[] positions = IntStream.range(0, ids.length)
                .filter(i -> i % EVERY == EVERY / 2 && !tokenizer.isSpecial(ids[i])).toArray();
        if (positions.length > 0) {
            int[] truth = Arrays.stream(positions).map(i -> ids[i]).toArray();
            Arrays.stream(positions).forEach(i -> ids[i] = mask);
            masked.add(new Masked(EncoderInput.of(ids), positions, truth));
        }
    }

    /** Agreement on masked tokens, if the model has that head, and on the order of pairs of lines by likeness. */
    Map<String, Double> of(Bert model) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        if (!masked.isEmpty()) {
            compareMasks(logits(model), numbers);
        }
        double[] cosines = cosines(model);
        double largest = 0;
        for (int i = 0; i < cosines.length; i++) {
            largest = Math.max(largest, Math.abs(cosines[i] - exactCosines[i]));
        }
        numbers.put("pairs", (double) cosines.length);
        numbers.put("spearman", correlation(ranks(cosines), ranks(exactCosines)));
        numbers.put("largest cosine difference", largest);
        return numbers;
    }

    private void compareMasks(List<float[]> logits, Map<String, Double> numbers) {
        int[] truth = masked.stream().flatMapToInt(line -> Arrays.stream(line.truth)).toArray();
        int same = 0;
        int right = 0;
        double probability = 0;
        double largest = 0;
        for (int i = 0; i < truth.length; i++) {
            float[] expected = exactLogits.get(i);
            float[] actual = logits.get(i);
            int top = top(expected);
            same += top == top(actual) ? 1 : 0;
            right += truth[i] == top(actual) ? 1 : 0;
            probability += Math.abs(probability(expected, top) - probability(actual, top));
            for (int n = 0; n < expected.length; n++) {
                largest = Math.max(largest, Math.abs((double) expected[n] - actual[n]));
            }
        }
        numbers.put("masks", (double) truth.length);
        numbers.put("right", (double) right / truth.length);
        numbers.put("same as f32", (double) same / truth.length);
        numbers.put("mean probability difference", probability / truth.length);
        numbers.put("largest logit difference", largest);
    }

    /** The logits at all masks. */
    private List<float[]> logits(Bert model) {
        List<float[]> all = new ArrayList<>();
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            for (Masked line : masked) {
                session.batch().clear();
                session.batch().add(line.input, line.positions);
                session.run(session.batch());
                for (int position : line.positions) {
                    all.add(new float[model.outputs(Head.MASKED_LM)]);
                    session.vocabularyLogits(0, position, all.getLast());
                }
            }
        }
        return all;
    }

    /** The cosine of each two lines' embeddings. */
    private double[] cosines(Bert model) {
        try (Embedder embedder = Embedder.open(model, tokenizer)) {
            List<float[]> vectors = embedder
                    .embedAll(lines.stream().map(TaskInput::of).toList(), embedderOptions, TaskProgress.NONE).stream()
                    .map(Embedding::vector).toList();
            return IntStream.range(0, vectors.size()).boxed()
                    .flatMapToDouble(
                            i -> IntStream.range(0, i).mapToDouble(j -> cosine(vectors.get(i), vectors.get(j))))
                    .toArray();
        }
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double squareA = 0;
        double squareB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squareA += (double) a[i] * a[i];
            squareB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(squareA * squareB);
    }

    /** The index of the largest number. */
    static int top(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private static double probability(float[] logits, int id) {
        float most = logits[top(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - most);
        }
        return Math.exp(logits[id] - most) / sum;
    }

    /** The rank of each value, from 0; equal values share the mean of theirs. */
    static double[] ranks(double[] values) {
        int[] order = IntStream.range(0, values.length).boxed()
                .sorted((a, b) -> Double.compare(values[a], values[b])).mapToInt(Integer::intValue).toArray();
        double[] ranks = new double[values.length];
        int end;
        for (int from = 0; from < order.length; from = end) {
            end = from + 1;
            while (end < order.length && values[order[end]] == values[order[from]]) {
                end++;
            }
            for (int i = from; i < end; i++) {
                ranks[order[i]] = (from + end - 1) / 2.0;
            }
        }
        return ranks;
    }

    /** Pearson's correlation; of ranks it is Spearman's. */
    static double correlation(double[] a, double[] b) {
        double meanA = Arrays.stream(a).average().orElse(0);
        double meanB = Arrays.stream(b).average().orElse(0);
        double product = 0;
        double squareA = 0;
        double squareB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (a[i] - meanA) * (b[i] - meanB);
            squareA += (a[i] - meanA) * (a[i] - meanA);
            squareB += (b[i] - meanB) * (b[i] - meanB);
        }
        return product / Math.sqrt(squareA * squareB);
    }
}
