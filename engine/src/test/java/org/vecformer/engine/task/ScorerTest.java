package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.ModelFiles;

/** Log-probabilities against the reference, against plain loops over a session, and alone against together. */
@Timeout(120)
class ScorerTest {

    private static final int CONTEXT = TinyGpt2.SHAPE.context();
    private static final int VOCABULARY = TinyGpt2.SHAPE.vocabulary();
    private static final ScoringOptions PLAIN = ScoringOptions.defaults();

    @TempDir
    private static Path directory;
    private static TinyGpt2 tiny;
    private static Scorer scorer;

    @BeforeAll
    static void load() throws IOException {
        tiny = TinyGpt2.open(directory);
        scorer = Scorer.open(tiny.model(), tiny.tokenizer());
    }

    @AfterAll
    static void close() {
        scorer.close();
        tiny.close();
    }

    private static int[] ids(int length, long seed) {
        return new Random(seed).ints(length, 0, VOCABULARY).toArray();
    }

    /** All rows of logits of a text that fits the context, one step for each token. */
    private static float[][] logits(int[] ids) {
        float[][] rows = new float[ids.length][VOCABULARY];
        try (Session session = tiny.model().openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            for (int i = 0; i < ids.length; i++) {
                session.batch().clear();
                session.batch().add(sequence, ids, i, i + 1, Logits.LAST);
                session.step(session.batch());
                session.logits(0, rows[i]);
            }
        }
        return rows;
    }

    /** log softmax in double. */
    private static double logprob(float[] logits, int id) {
        double sum = 0;
        for (float logit : logits) {
            sum += StrictMath.exp(logit);
        }
        return logits[id] - StrictMath.log(sum);
    }

    // ---- against the reference

    @Tag("width")
    @ParameterizedTest
    @CsvSource({"gpt2-tiny, 9", "gpt2-mini, 9", "gpt2-mini-repeat, 3", "gpt2-mini-f16, 4", "gpt2-mini-bf16, 4",
        "gpt2-mini-f64, 4"})
    void scoresAreTheReferences(String name, int expectedRows) throws IOException {
        Path folder = Oracle.shared("oracle/models/" + name);
        int rows = 0;
        try (Gpt model = Gpt.load(tiny.engine(), ModelFiles.of(folder), LoadOptions.defaults());
                Scorer reference = Scorer.open(model, null)) {
            for (JsonNode row : Oracle.rows(folder.resolve("golden.jsonl"))) {
                if (row.has("attention_mask") && Arrays.stream(Oracle.ints(row.get("attention_mask"))).anyMatch(
                        seen -> seen == 0) || row.has("position_ids") || row.has("token_type_ids")
                        || !row.has("token_logprobs")) {
                    continue;
                }
                String what = name + " " + row.get("case").asText();
                TextScore score = reference.score(Oracle.ints(row.get("input_ids")), PLAIN);
                JsonNode logprobs = row.get("token_logprobs");
                assertThat(score.logprobs()).as(what).hasSize(logprobs.size() + 1);
                assertThat(score.logprobs()[0]).as(what).isNaN();
                for (int i = 0; i < logprobs.size(); i++) {
                    assertThat(score.logprobs()[i + 1]).as("%s token %d", what, i + 1)
                            .isCloseTo(logprobs.get(i).asDouble(), within(2e-4));
                }
                if (logprobs.size() > 0) {
                    assertThat(-score.mean()).as(what).isCloseTo(row.get("nll_mean").asDouble(), within(2e-4));
                    assertThat(score.perplexity() / row.get("perplexity").asDouble()).as(what).isCloseTo(1,
                            within(2e-4));
                }
                rows++;
            }
        }
        assertThat(rows).as("rows that were used").isEqualTo(expectedRows);
    }

    // ---- texts

    @Tag("width")
    @Test
    void everyTokenIsScoredAfterThoseBeforeIt() {
        int[] ids = ids(CONTEXT, 1);
        float[][] logits = logits(ids);
        TextScore score = scorer.score(ids, PLAIN);
        double sum = 0;
        for (int i = 1; i < ids.length; i++) {
            assertThat(score.logprobs()[i]).isCloseTo(logprob(logits[i - 1], ids[i]), within(1e-6));
            sum += score.logprobs()[i];
        }
        assertThat(score.sum()).isEqualTo(sum);
        assertThat(score.scored()).isEqualTo(CONTEXT - 1);
        assertThat(score.perplexity()).isEqualTo(StrictMath.exp(-sum / (CONTEXT - 1)));
        assertThat(score.ids()).isEqualTo(ids);
    }

    @Test
    void theBeginTokenGivesTheFirstTokenAScore() {
        TextScore score = scorer.score("the end", PLAIN.withBeginToken(true));
        TextScore same = scorer.score("<|endoftext|>the end", PLAIN);
        assertThat(score.ids()).startsWith(0).isEqualTo(same.ids());
        assertThat(score.logprobs()).isEqualTo(same.logprobs());
        assertThat(score.scored()).isEqualTo(score.ids().length - 1);
    }

    /** Hugging Face's loop (docs: perplexity of fixed-length models), each window by itself. */
    private static double[] slidingWindows(int[] ids, int window, int stride) {
        double[] logprobs = new double[ids.length];
        Arrays.fill(logprobs, Double.NaN);
        int previousEnd = 0;
        for (int begin = 0; begin < ids.length; begin += stride) {
            int end = Math.min(begin + window, ids.length);
            float[][] logits = logits(Arrays.copyOfRange(ids, begin, end));
            int targets = end - previousEnd;
            for (int i = Math.max(1, end - begin - targets); i < end - begin; i++) {
                logprobs[begin + i] = logprob(logits[i - 1], ids[begin + i]);
            }
            previousEnd = end;
            if (end == ids.length) {
                break;
            }
        }
        return logprobs;
    }

    @ParameterizedTest
    @CsvSource({"200, 70, 35", "200, 0, 0", "200, 64, 1", "99, 32, 32", "97, 32, 32", "71, 70, 69", "71, 0, 0",
        "300, 2, 1", "65, 64, 32", "64, 64, 32", "33, 9, 7", "100, 3, 2"})
    void longTextsGoInWindows(int length, int window, int stride) {
        int[] ids = ids(length, length);
        double[] expected = slidingWindows(ids, window == 0 ? CONTEXT : window,
                stride == 0 ? Math.max(1, (window == 0 ? CONTEXT : window) / 2) : stride);
        TextScore score = scorer.score(ids, PLAIN.withWindow(window).withStride(stride));
        for (int i = 0; i < length; i++) {
            if (Double.isNaN(expected[i])) {
                assertThat(score.logprobs()[i]).as("token %d", i).isNaN();
            } else {
                assertThat(score.logprobs()[i]).as("token %d", i).isCloseTo(expected[i], within(1e-6));
            }
        }
        assertThat(score.scored()).isEqualTo((int) Arrays.stream(expected).filter(x -> !Double.isNaN(x)).count());
    }

    @Tag("width")
    @ParameterizedTest
    @CsvSource({"1, 70", "7, 96", "128, 4000", "512, 160"})
    void theSameBitsAloneAndWithOthers(int batchTokens, long cacheTokens) {
        List<int[]> texts = new ArrayList<>();
        Random random = new Random(3);
        for (int i = 0; i < 40; i++) {
            texts.add(ids(1 + random.nextInt(i % 5 == 0 ? 150 : 20), i));
        }
        ScoringOptions options = PLAIN.withWindow(40).withStride(13);
        SessionOptions bounds = new SessionOptions(cacheTokens, batchTokens);
        List<Integer> told = new ArrayList<>();
        try (Scorer together = Scorer.open(tiny.model(), null, bounds)) {
            List<TextScore> scores = together.scoreAll(texts, options, (done, total) -> {
                assertThat(total).isEqualTo(texts.stream().mapToInt(ids -> ids.length - 1).sum());
                told.add(done);
            });
            for (int i = 0; i < texts.size(); i++) {
                assertThat(scores.get(i).logprobs()).as("text %d", i)
                        .isEqualTo(scorer.score(texts.get(i), options).logprobs());
            }
        }
        assertThat(told).isSorted().endsWith(texts.stream().mapToInt(ids -> ids.length - 1).sum());
    }

    @Test
    void aTextOfOneTokenHasNothingToScore() {
        TextScore score = scorer.score(new int[]{5}, PLAIN);
        assertThat(score.logprobs()).containsExactly(Double.NaN);
        assertThat(score.sum()).isZero();
        assertThat(score.perplexity()).isNaN();
        assertThat(scorer.scoreAll(List.of(), PLAIN, TaskProgress.NONE)).isEmpty();
    }

    @Test
    void aCallThatWasCancelledBeforeEndsEvenWhereNothingIsComputed() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> scorer.score(new int[]{5}, PLAIN, cancellation));
    }

    // ---- continuations

    @Tag("width")
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 31, 32, 33, 60})
    void continuationsTogetherAreContinuationsAlone(int promptLength) {
        int[] prompt = ids(promptLength, 9);
        List<int[]> continuations = new ArrayList<>(List.of(ids(1, 1), ids(CONTEXT + 1 - promptLength, 2)));
        for (int i = 0; i < 30; i++) {
            continuations.add(ids(1 + i % 9, i));
        }
        List<ContinuationScore> together = scorer.compare(prompt, continuations);
        for (int i = 0; i < continuations.size(); i++) {
            int[] ids = continuations.get(i);
            ContinuationScore score = together.get(i);
            assertThat(score.ids()).isEqualTo(ids);
            assertThat(score.logprobs()).isEqualTo(scorer.compare(prompt, List.of(ids)).getFirst().logprobs());
            int[] whole = IntStream.concat(IntStream.of(prompt), IntStream.of(ids)).toArray();
            if (whole.length <= CONTEXT) {
                assertThat(score.logprobs()).isEqualTo(
                        Arrays.copyOfRange(scorer.score(whole, PLAIN).logprobs(), promptLength, whole.length));
            }
            assertThat(score.sum()).isEqualTo(Arrays.stream(score.logprobs()).reduce(0, Double::sum));
            assertThat(score.ratioToFirst()).isEqualTo(StrictMath.exp(score.sum() - together.getFirst().sum()));
        }
        assertThat(together.getFirst().ratioToFirst()).isEqualTo(1);
    }

    @Test
    void aContinuationIsGreedyIfTheModelWouldWriteIt() {
        int[] prompt = ids(5, 4);
        int[] greedy = new int[6];
        int[] whole = Arrays.copyOf(prompt, prompt.length + greedy.length);
        for (int i = 0; i < greedy.length; i++) {
            float[] last = logits(Arrays.copyOf(whole, prompt.length + i))[prompt.length + i - 1];
            greedy[i] = IntStream.range(0, VOCABULARY).reduce(0, (a, b) -> last[b] > last[a] ? b : a);
            whole[prompt.length + i] = greedy[i];
        }
        int[] other = greedy.clone();
        other[5] = (other[5] + 1) % VOCABULARY;
        assertThat(scorer.compare(prompt, List.of(greedy, other, new int[]{greedy[0]})))
                .extracting(ContinuationScore::greedy).containsExactly(true, false, true);
    }

    @Test
    void continuationsAreCutAsInTheWholeText() {
        // " the" is one token, whether its space is the prompt's or its own.
        for (String[] pair : new String[][]{{"in", " the end"}, {"in ", "the end"}}) {
            assertThat(tokens(pair[0], pair[1])).as(pair[0]).isEqualTo("in| the| e|n|d");
        }
        assertThat(tokens("in\n\n", "an")).isEqualTo("in|\n|\n|an");
        assertThat(tokens("x", "\n\n")).isEqualTo("x|\n\n");
        // "the" would be h+e behind t: the prompt's last token is not a token of the whole text.
        assertThat(tokens("th", "e")).isEqualTo("t|h|e");
        assertThat(tokens("a", "nd")).isEqualTo("a|n|d");
        // White space alone is the continuation's; the prompt is then the begin token.
        assertThat(tokens(" ", "the")).isEqualTo("| the");
        assertThat(scorer.compare(" ", List.of("the")).getFirst().sum())
                .isEqualTo(scorer.compare(new int[]{0}, List.of(tiny.tokenizer().ids(" the"))).getFirst().sum());
        assertThat(scorer.compare("", List.of("the", "in")).getFirst().logprobs()[0])
                .isEqualTo(scorer.score("the", PLAIN.withBeginToken(true)).logprobs()[1]);
    }

    private static String tokens(String prompt, String continuation) {
        ContinuationTokens tokens = ContinuationTokens.of(tiny.tokenizer(), prompt, List.of(continuation));
        return spelt(tokens.prompt()) + "|" + spelt(tokens.continuations().getFirst());
    }

    private static String spelt(int[] ids) {
        return String.join("|",
                IntStream.of(ids).mapToObj(id -> tiny.tokenizer().decode(new int[]{id})).toList());
    }

    // ---- what comes next

    @Tag("width")
    @Test
    void nextTokensByDescendingProbability() {
        int[] ids = ids(CONTEXT, 8);
        float[] last = logits(ids)[CONTEXT - 1];
        List<NextToken> next = scorer.next(ids, 1000);
        assertThat(next).hasSize(VOCABULARY);
        assertThat(next.stream().mapToDouble(NextToken::probability).sum()).isCloseTo(1, within(1e-6));
        int[] order = IntStream.range(0, VOCABULARY).boxed().sorted((a, b) -> Float.compare(last[b], last[a]))
                .mapToInt(Integer::intValue).toArray();
        for (int i = 0; i < VOCABULARY; i++) {
            assertThat(next.get(i).id()).isEqualTo(order[i]);
            assertThat(next.get(i).logprob()).isCloseTo(logprob(last, order[i]), within(1e-6));
            assertThat(next.get(i).text()).isEqualTo(tiny.tokenizer().decode(new int[]{order[i]}));
        }
        assertThat(scorer.next(ids, 7)).isEqualTo(next.subList(0, 7));
        assertThat(scorer.next("", 3)).isEqualTo(scorer.next(new int[]{0}, 3));
    }

    @Test
    void aPredictionForEveryPrefix() {
        String text = "in the ende – and";
        int[] ids = tiny.tokenizer().ids(text);
        List<Prediction> predictions = scorer.predict(text);
        assertThat(predictions).hasSameSizeAs(IntStream.of(ids).boxed().toList());
        for (int i = 0; i < ids.length; i++) {
            int[] prefix = Arrays.copyOf(ids, i + 1);
            assertThat(predictions.get(i)).isEqualTo(
                    new Prediction(i, tiny.tokenizer().decode(prefix), scorer.next(prefix, 1).getFirst()));
        }
        assertThat(predictions.getLast().prefix()).isEqualTo(text);
    }

    // ---- what cannot be

    @Test
    void whatCannotBeIsRefusedAndLeavesTheScorerUsable() {
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score("", PLAIN))
                .withMessageContaining("no tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score("", PLAIN.withBeginToken(true)));
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score(new int[]{1, VOCABULARY}, PLAIN))
                .withMessageContaining("290").withMessageContaining("289");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score(new int[]{-1, 5}, PLAIN));
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score(ids(9, 1), PLAIN.withWindow(CONTEXT + 1)))
                .withMessageContaining("71").withMessageContaining("70");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.score(ids(9, 1), PLAIN.withStride(CONTEXT + 1)))
                .withMessageContaining("stride");
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withWindow(1));
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withWindow(-2));
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withWindow(8).withStride(9));
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.compare("in", List.of(" the", "")))
                .withMessageContaining("continuation");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.compare(new int[0], List.of(new int[]{1})))
                .withMessageContaining("prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> scorer.compare(ids(CONTEXT, 1), List.of(ids(1, 1), ids(2, 1))))
                .withMessageContaining("70");
        assertThat(scorer.compare("in", List.of())).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.next("in", 0)).withMessageContaining("topK");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.next(ids(CONTEXT + 1, 1), 5))
                .withMessageContaining("71");
        assertThatIllegalArgumentException().isThrownBy(() -> scorer.predict(new int[0]));
        try (Scorer withoutTokenizer = Scorer.open(tiny.model(), null)) {
            assertThatIllegalStateException().isThrownBy(() -> withoutTokenizer.score("in", PLAIN))
                    .withMessageContaining("tokenizer");
            assertThat(withoutTokenizer.predict(new int[]{3}).getFirst().next().text()).isEmpty();
        }
        try (Scorer small = Scorer.open(tiny.model(), null, new SessionOptions(32, 8))) {
            assertThatExceptionOfType(CacheFullException.class).isThrownBy(() -> small.score(ids(60, 1), PLAIN));
            assertThat(small.score(ids(33, 1), PLAIN).logprobs()).isEqualTo(scorer.score(ids(33, 1), PLAIN).logprobs());
        }
        assertThat(scorer.score(ids(9, 1), PLAIN).scored()).isEqualTo(8);
    }

    @Test
    void cancelEndsTheWorkAndNotTheNext() {
        List<int[]> texts = IntStream.range(0, 50).mapToObj(i -> ids(20, i)).toList();
        scorer.cancel();
        assertThat(scorer.scoreAll(texts, PLAIN, TaskProgress.NONE)).hasSize(50);
        assertThatExceptionOfType(CancellationException.class).isThrownBy(
                () -> scorer.scoreAll(texts, PLAIN, (_, _) -> scorer.cancel()));
        assertThat(scorer.scoreAll(texts, PLAIN, TaskProgress.NONE)).hasSize(50);
        assertThatIllegalStateException().isThrownBy(() -> scorer.scoreAll(texts, PLAIN, (_, _) -> {
            throw new IllegalStateException("enough");
        })).withMessage("enough");
        assertThat(scorer.score(texts.getFirst(), PLAIN).scored()).isEqualTo(19);
    }
}
