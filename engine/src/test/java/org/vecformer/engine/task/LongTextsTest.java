package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;

/** Texts that do not fit: their windows' vectors, computed one by one from ids, and averaged here by hand. */
class LongTextsTest {

    private static final int LIMIT = 16;
    private static final EmbedderOptions SPLIT = EmbedderOptions.defaults().withMaxLength(LIMIT)
            .withLongTexts(LongTexts.SPLIT);
    private static final String LONG = "the man is good in the city, the city is good! is the man in the city? "
            + "no man is a city. zebra in the zoo is good";

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private Embedder task;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertModel", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        task = Embedder.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeTask() {
        task.close();
    }

    /** The text's tokens without the special ones around them. */
    private static int[] own(String text) {
        int[] ids = bert.tokenizer().ids(text);
        return Arrays.copyOfRange(ids, 1, ids.length - 1);
    }

    /** What the windows of a text must be: [CLS] prompt, as much text as there is room for, [SEP]. */
    private static List<int[]> pieces(String prompt, String text) {
        int[] before = own(prompt);
        int[] tokens = own(text);
        int room = LIMIT - 2 - before.length;
        List<int[]> pieces = new ArrayList<>();
        for (int from = 0; from < tokens.length; from += room) {
            int length = Math.min(room, tokens.length - from);
            int[] piece = new int[before.length + length + 2];
            piece[0] = TinyBert.CLS;
            System.arraycopy(before, 0, piece, 1, before.length);
            System.arraycopy(tokens, from, piece, 1 + before.length, length);
            piece[piece.length - 1] = TinyBert.SEP;
            pieces.add(piece);
        }
        return pieces;
    }

    private double[] average(List<int[]> pieces, int around, EmbedderOptions options) {
        double[] sum = new double[task.dimensions(options)];
        int total = 0;
        for (int[] piece : pieces) {
            float[] vector = task.embed(TaskInput.of(EncoderInput.of(piece)), options.withPrompt("")).vector();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (piece.length - around) * (double) vector[i];
            }
            total += piece.length - around;
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] /= total;
        }
        return sum;
    }

    private static float[] floats(double[] values, double divisor) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) (values[i] / divisor);
        }
        return floats;
    }

    private static double length(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void windowsAreAveragedByTheirTokens(boolean normalize) {
        List<int[]> pieces = pieces("", LONG);
        assertThat(pieces).hasSizeGreaterThan(2);
        assertThat(pieces.getLast()).as("a last window that weighs less").hasSizeLessThan(LIMIT);
        for (Pooling pooling : Pooling.values()) {
            EmbedderOptions options = SPLIT.withNormalize(normalize).withPoolings(pooling);
            double[] average = average(pieces, 2, options);
            Embedding result = task.embed(TaskInput.of(LONG), options);
            assertThat(result.vector()).as(pooling.name())
                    .containsExactly(floats(average, normalize ? length(average) : 1), within(1e-6f));
            assertThat(result.windows()).isEqualTo(pieces.size());
            assertThat(result.tokens()).isEqualTo(pieces.stream().mapToInt(piece -> piece.length).sum());
            assertThat(result.truncated()).isFalse();
        }
    }

    @Test
    void aPromptThatIsNotPooledIsInEachWindowToo() {
        EmbedderOptions options = SPLIT.withPrompt("the ").withIncludePrompt(false);
        List<int[]> pieces = pieces("the", LONG);
        double[] sum = new double[TinyBert.HIDDEN];
        int total = 0;
        for (int[] piece : pieces) {
            float[][] states = bert.states(EncoderInput.of(piece));
            int own = piece.length - 3;
            for (int i = 0; i < sum.length; i++) {
                double window = 0;
                for (int token = 2; token < piece.length; token++) {
                    window += states[token][i];
                }
                sum[i] += own * window / (own + 1);
            }
            total += own;
        }
        assertThat(task.embed(TaskInput.of(LONG), options).vector()).containsExactly(floats(sum, total),
                within(1e-6f));
    }

    @Test
    void aPromptIsInEachWindow() {
        String prompt = "the city: ";
        List<int[]> pieces = pieces(prompt, LONG);
        EmbedderOptions options = SPLIT.withPrompt(prompt);
        double[] average = average(pieces, 2 + own(prompt).length, options);
        Embedding result = task.embed(TaskInput.of(LONG), options);
        assertThat(result.windows()).isEqualTo(pieces.size());
        assertThat(result.vector()).containsExactly(floats(average, 1), within(1e-6f));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.embed(TaskInput.of("good man"), options.withPrompt(LONG.substring(0, 60))))
                .withMessageContaining("input 0").withMessageContaining(LIMIT + " tokens have no room");
        assertThatIllegalArgumentException().isThrownBy(() -> task.embed(TaskInput.of(""), SPLIT.withMaxLength(1)))
                .withMessageContaining("no room");
    }

    @Test
    void aTextThatFitsIsNotSplit() {
        for (String text : List.of("", "the man", "the man is good in the city, a city.")) {
            Embedding result = task.embed(TaskInput.of(text), SPLIT);
            Embedding plain = task.embed(TaskInput.of(text), EmbedderOptions.defaults());
            assertThat(result.vector()).isEqualTo(plain.vector());
            assertThat(result.windows()).isEqualTo(1);
            assertThat(result.tokens()).isEqualTo(plain.tokens());
        }
        assertThat(task.embed(TaskInput.of("the man", "is good"), SPLIT).windows()).isEqualTo(1);
        assertThatIllegalArgumentException().isThrownBy(() -> task.embed(TaskInput.of("the man", LONG), SPLIT))
                .withMessageContaining("pair").withMessageContaining("input 0").withMessageContaining("at most 16");
    }

    @Test
    void textsBeyondTheModelsContextToo() {
        String text = LONG.repeat(20);
        EmbedderOptions options = SPLIT.withMaxLength(0);
        Embedding result = task.embed(TaskInput.of(text), options);
        assertThat(result.windows()).isEqualTo(Math.ceilDiv(own(text).length, TinyBert.CONTEXT - 2));
        assertThat(result.vector()).doesNotContain(Float.NaN);
    }

    @Test
    void theSameBitsInAnyBatch() {
        List<TaskInput> inputs = TinyBert.texts(40, 60, 11).stream().map(TaskInput::of).toList();
        List<Embedding> alone = inputs.stream().map(input -> task.embed(input, SPLIT)).toList();
        assertThat(alone).extracting(Embedding::windows).contains(1, 3);
        for (int tokens : new int[]{1, 50, 1024}) {
            try (Embedder other = Embedder.open(bert.model(), bert.tokenizer(), new EncoderOptions(tokens))) {
                List<Embedding> together = other.embedAll(inputs, SPLIT, TaskProgress.NONE);
                for (int i = 0; i < inputs.size(); i++) {
                    assertThat(together.get(i).vector()).isEqualTo(alone.get(i).vector());
                }
            }
        }
    }

    @Test
    void tooLongTextsAreRefusedWithTheirNumbers() {
        EmbedderOptions options = SPLIT.withLongTexts(LongTexts.REFUSE);
        int tokens = own(LONG).length + 2;
        List<TaskInput> inputs = List.of(TaskInput.of("the man"), TaskInput.of(LONG));
        assertThatExceptionOfType(TextTooLongException.class)
                .isThrownBy(() -> task.embedAll(inputs, options, TaskProgress.NONE))
                .withMessage("input 1 has " + tokens + " tokens, special ones included; expected at most 16")
                .satisfies(e -> assertThat(List.of(e.index(), e.tokens(), e.limit())).containsExactly(1, tokens, 16));
        assertThatExceptionOfType(TextTooLongException.class)
                .isThrownBy(() -> task.embed(TaskInput.of(EncoderInput.of(new int[17])), options));
        assertThat(task.embed(inputs.getFirst(), options).truncated()).isFalse();
    }

    @Test
    void truncationIsToldAndIsTheFirstWindow() {
        Embedding cut = task.embed(TaskInput.of(LONG), SPLIT.withLongTexts(LongTexts.TRUNCATE));
        assertThat(cut.truncated()).isTrue();
        assertThat(cut.tokens()).isEqualTo(LIMIT);
        assertThat(cut.windows()).isEqualTo(1);
        assertThat(cut.vector())
                .isEqualTo(task.embed(TaskInput.of(EncoderInput.of(pieces("", LONG).getFirst())), SPLIT).vector());
    }
}
