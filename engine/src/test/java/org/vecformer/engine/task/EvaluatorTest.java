package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.model.SessionOptions;

/** Corpora and last words, against the same measured plainly with a {@link Scorer}. */
@Timeout(120)
class EvaluatorTest {

    private static final ScoringOptions PLAIN = ScoringOptions.defaults();

    @TempDir
    private static Path directory;
    private static TinyGpt2 tiny;
    private static Evaluator evaluator;
    private static Scorer scorer;

    @BeforeAll
    static void load() throws IOException {
        tiny = TinyGpt2.open(directory);
        evaluator = Evaluator.open(tiny.model(), tiny.tokenizer());
        scorer = Scorer.open(tiny.model(), tiny.tokenizer());
    }

    @AfterAll
    static void close() {
        scorer.close();
        evaluator.close();
        tiny.close();
    }

    private static Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("corpus.txt"), text);
    }

    private static String words(int count, long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        List<String> separators = List.of(" ", " ", " ", "\n", "  ", "\n\n", ", ", " \n ", "\t");
        List<String> words = List.of("the", "an", "in", "and", "then", "Straße", "9", "2026", "don't", "(", "猫", "🐈",
                "<|endoftext|>", "e\u0301");
        for (int i = 0; i < count; i++) {
            text.append(words.get(random.nextInt(words.size())))
                    .append(separators.get(random.nextInt(separators.size())));
        }
        return text.toString();
    }

    @Test
    void aCorpusIsScoredAsOneText() throws IOException {
        String text = words(120, 1);
        int[] ids = tiny.tokenizer().ids(text);
        for (ScoringOptions options : List.of(PLAIN, PLAIN.withStride(9).withWindow(30).withBeginToken(true),
                PLAIN.withWindow(20).withStride(20))) {
            TextScore expected = scorer.score(text, options);
            List<Integer> told = new ArrayList<>();
            CorpusScore score = evaluator.perplexity(file(text), options, (done, total) -> {
                assertThat(total).isEqualTo(expected.scored());
                told.add(done);
            });
            assertThat(told).isSorted().endsWith(expected.scored());
            assertThat(score.tokens()).isEqualTo(ids.length);
            assertThat(score.scored()).isEqualTo(expected.scored());
            assertThat(score.sum()).isEqualTo(expected.sum());
            assertThat(score.perplexity()).isEqualTo(expected.perplexity());
            assertThat(score.bytes()).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
            assertThat(score.words()).isEqualTo(text.strip().split("\\s+").length);
            double all = score.mean() * ids.length;
            assertThat(score.wordPerplexity()).isCloseTo(StrictMath.exp(-all / score.words()),
                    within(1e-6 * StrictMath.exp(
                            -all / score.words())));
            assertThat(score.bitsPerByte()).isCloseTo(-all / StrictMath.log(2) / score.bytes(), within(1e-9));
        }
    }

    @Test
    void aFileThatIsReadInPartsHasTheTokensOfTheWhole() throws IOException {
        String text = words(20_000, 2);
        Path file = file(text);
        int[] ids = tiny.tokenizer().ids(text);
        for (int part : new int[]{1, 10_000, 1 << 20}) {
            CorpusTokens tokens = CorpusTokens.read(file, tiny.tokenizer(), part, () -> {
            });
            assertThat(tokens.ids()).isEqualTo(ids);
            assertThat(tokens.words()).isEqualTo(text.strip().split("\\s+").length);
            assertThat(tokens.bytes()).isEqualTo(Files.size(file));
        }
        String noSpaces = "猫".repeat(30_000);
        assertThat(CorpusTokens.read(file(noSpaces), tiny.tokenizer(), 1, () -> {
        }).ids()).hasSize(90_000);
    }

    @Test
    void aRealCorpusInPartsHasTheTokensOfTheWhole() throws IOException {
        Path file = Oracle.shared("corpora/wikitext-2/valid.txt");
        CorpusTokens tokens = CorpusTokens.read(file, tiny.tokenizer(), 1, () -> {
        });
        assertThat(tokens.ids()).isEqualTo(tiny.tokenizer().ids(Files.readString(file)));
        assertThat(tokens.words()).isEqualTo(213_886);
    }

    @Test
    void whatIsNoCorpusIsRefused() throws IOException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> evaluator.perplexity(file(""), PLAIN, TaskProgress.NONE))
                .withMessageContaining("corpus.txt").withMessageContaining("no text");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> evaluator.perplexity(file("x"), PLAIN, TaskProgress.NONE))
                .withMessageContaining("single token");
        assertThat(evaluator.perplexity(file("x"), PLAIN.withBeginToken(true), TaskProgress.NONE).scored()).isOne();
        Path bad = Files.write(directory.resolve("bad.txt"), new byte[]{'a', ' ', (byte) 0xC3, ' ', 'b'});
        assertThatIOException().isThrownBy(() -> evaluator.perplexity(bad, PLAIN, TaskProgress.NONE))
                .withMessageContaining("bad.txt").withMessageContaining("UTF-8");
        Path cut = Files.write(directory.resolve("cut.txt"), new byte[]{'a', ' ', (byte) 0xE2, (byte) 0x82});
        assertThatIOException().isThrownBy(() -> evaluator.perplexity(cut, PLAIN, TaskProgress.NONE))
                .withMessageContaining("UTF-8");
        assertThatIOException()
                .isThrownBy(() -> evaluator.perplexity(directory.resolve("none"), PLAIN, TaskProgress.NONE));
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> evaluator.perplexity(file(words(500, 1)), PLAIN, (_, _) -> evaluator.cancel()));
        assertThat(evaluator.perplexity(file("in the"), PLAIN, TaskProgress.NONE).tokens()).isEqualTo(2);
    }

    // ---- last words

    /** Each token of the last word by itself: is it the most likely one, and how likely is it. */
    private static double[] plainly(String passage) {
        int space = passage.lastIndexOf(' ');
        int[] all = tiny.tokenizer().ids(passage);
        int first = tiny.tokenizer().ids(passage.substring(0, space)).length;
        boolean correct = true;
        double sum = 0;
        for (int i = first; i < all.length; i++) {
            int[] before = Arrays.copyOfRange(all, Math.max(0, all.length - 1 - TinyGpt2.SHAPE.context()), i);
            List<NextToken> next = scorer.next(before, TinyGpt2.SHAPE.vocabulary());
            int id = all[i];
            correct &= next.getFirst().id() == id;
            sum += next.stream().filter(token -> token.id() == id).findFirst().orElseThrow().logprob();
        }
        return new double[]{correct ? 1 : 0, sum};
    }

    @Tag("width")
    @ParameterizedTest
    @ValueSource(ints = {1, 128})
    void lastWordsArePredictedGreedilyTokenByToken(int batchTokens) {
        List<String> passages = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            passages.add((words(1 + i, i) + "x").strip() + " the" + (i % 3 == 0 ? "n" : ""));
        }
        passages.addAll(guessed());
        double[][] expected = passages.stream().map(EvaluatorTest::plainly).toArray(double[][]::new);
        double sum = 0;
        for (double[] one : expected) {
            sum += one[1];
        }
        int correct = (int) Arrays.stream(expected).filter(one -> one[0] == 1).count();
        assertThat(correct).as("the test has passages of both kinds").isBetween(1, passages.size() - 1);
        List<Integer> told = new ArrayList<>();
        try (Evaluator other = Evaluator.open(tiny.model(), tiny.tokenizer(),
                new SessionOptions(160, batchTokens))) {
            LastWordScore score = other.lastWord(passages, (done, total) -> {
                assertThat(total).isEqualTo(passages.size());
                told.add(done);
            });
            assertThat(score).isEqualTo(new LastWordScore(passages.size(), correct, sum));
            assertThat(score.accuracy()).isEqualTo((double) correct / passages.size());
            assertThat(score.perplexity()).isEqualTo(StrictMath.exp(-sum / passages.size()));
        }
        assertThat(told).hasSize(passages.size()).isSorted().endsWith(passages.size());
    }

    /** Passages whose last word is the model's own: where by chance it expects a space with something behind. */
    private static List<String> guessed() {
        return IntStream.range(0, 200).mapToObj(i -> words(9, 1000 + i).replaceAll("\\R", ";").strip())
                .flatMap(text -> scorer.predict(text).stream())
                .filter(prediction -> prediction.next().text().matches(" \\S+")
                        && prediction.prefix().matches("(?s).+[a-z]"))
                .map(prediction -> prediction.prefix() + prediction.next().text()).distinct().limit(10).toList();
    }

    @Test
    void whatIsNoPassageIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> evaluator.lastWord(List.of(), TaskProgress.NONE))
                .withMessageContaining("no passages");
        for (String bad : List.of("word", "", "  word", "word  ", "\n word\n")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> evaluator.lastWord(List.of("in the", bad), TaskProgress.NONE))
                    .withMessageContaining("passage 2");
        }
        assertThat(evaluator.lastWord(List.of("in the \n"), TaskProgress.NONE))
                .isEqualTo(evaluator.lastWord(List.of("in the"), TaskProgress.NONE));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> evaluator.lastWord(List.of("in " + "q".repeat(80)), TaskProgress.NONE))
                .withMessageContaining("70");
        assertThatExceptionOfType(CancellationException.class).isThrownBy(() -> evaluator
                .lastWord(List.of("in the " + "a ".repeat(60) + "x", "in the " + "a ".repeat(60) + "x",
                        "in the " + "a ".repeat(60) + "x", "in the an"), (_, _) -> evaluator.cancel()));
    }
}
