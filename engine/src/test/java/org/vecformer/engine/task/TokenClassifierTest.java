package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.OffsetUnit;

/** Tokens to entities, and texts that are longer than the model. */
class TokenClassifierTest {

    private static final TokenClassifierOptions ALL = TokenClassifierOptions.defaults().withIgnoreLabels();

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private TokenClassifier task;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertForTokenClassification", 4);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        task = TokenClassifier.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeTask() {
        task.close();
    }

    @Test
    void windowsSeeAllOfALongText() {
        String text = TinyBert.texts(1, 200, 21).getFirst();
        Encoding encoding = bert.tokenizer().encode(text);
        assertThat(encoding.size()).isGreaterThan(150);
        TaggedText whole = task.tag(TaskInput.of(text), ALL.withStride(12));
        assertThat(whole.truncated()).isFalse();
        assertThat(whole.entities()).hasSize(encoding.size() - 2);
        for (int i = 0; i < whole.entities().size(); i++) {
            Entity entity = whole.entities().get(i);
            assertThat(entity.index()).isEqualTo(i + 1);
            assertThat(entity.start()).isEqualTo(encoding.start(i + 1, OffsetUnit.CHARS));
            assertThat(entity.end()).isEqualTo(encoding.end(i + 1, OffsetUnit.CHARS));
        }
        TaggedText truncated = task.tag(TaskInput.of(text), ALL);
        assertThat(truncated.truncated()).isTrue();
        assertThat(truncated.entities()).hasSize(68);
        // The first 68 - 12 / 2 tokens have the most context in the first window.
        assertThat(whole.entities().subList(0, 62)).isEqualTo(truncated.entities().subList(0, 62));
        assertThat(whole.entities().get(67).score()).isNotEqualTo(truncated.entities().get(67).score());
    }

    @Test
    void theMiddleOfTheSecondWindowIsThatWindows() {
        String text = TinyBert.texts(1, 200, 21).getFirst();
        int[] ids = bert.tokenizer().ids(text);
        int[] window = new int[70];
        window[0] = TinyBert.CLS;
        System.arraycopy(ids, 1 + 68 - 12, window, 1, 68);
        window[69] = TinyBert.SEP;
        List<Entity> second = task.tag(TaskInput.of(EncoderInput.of(window)), ALL).entities();
        List<Entity> whole = task.tag(TaskInput.of(text), ALL.withStride(12)).entities();
        for (int i = 10; i < 58; i++) {
            assertThat(whole.get(56 + i).score()).isEqualTo(second.get(i).score());
            assertThat(whole.get(56 + i).label()).isEqualTo(second.get(i).label());
        }
    }

    @ParameterizedTest
    @EnumSource(Aggregation.class)
    void entitiesAreInOrderAndPointIntoTheText(Aggregation aggregation) {
        for (String text : TinyBert.texts(40, 60, 31)) {
            List<Entity> entities = task.tag(TaskInput.of(text), ALL.withAggregation(aggregation).withStride(4))
                    .entities();
            int end = 0;
            for (Entity entity : entities) {
                assertThat(entity.start()).isGreaterThanOrEqualTo(end);
                assertThat(entity.end()).isGreaterThan(entity.start()).isLessThanOrEqualTo(text.length());
                assertThat(entity.score()).isBetween(0.0, 1.0);
                end = entity.end();
            }
            assertThat(entities.isEmpty()).isEqualTo(text.isBlank());
        }
    }

    @Test
    void whatCannotBeDoneIsRefused() {
        String text = "the man ".repeat(60);
        assertThatIllegalArgumentException().isThrownBy(() -> task.tag(TaskInput.of(text), ALL.withStride(68)))
                .withMessageContaining("stride of 68");
        assertThatIllegalArgumentException().isThrownBy(() -> task.tag(TaskInput.of("a", "b"), ALL))
                .withMessageContaining("pair");
        try (TokenClassifier bare = TokenClassifier.open(bert.model(), null)) {
            assertThat(bare.tag(TaskInput.of(EncoderInput.of(2, 10, 3)), ALL).entities())
                    .as("nobody knows which are special").hasSize(3);
        }
    }

    // ---- the rules by hand

    private static final EntityAggregation RULES = new EntityAggregation(List.of("O", "B-PER", "I-PER", "LOC"), "##");

    private static EntityAggregation.Token token(String word, int start, boolean subword, double... scores) {
        return new EntityAggregation.Token(word, scores, start, start, start + word.replace("##", "").length(),
                subword);
    }

    /** Micro|soft| works. */
    private static final List<EntityAggregation.Token> WORDS = List.of(
            token("Ann", 0, false, .1, .6, .2, .1), token("micro", 4, false, .1, .1, .5, .3),
            token("##soft", 9, true, .0, .0, .1, .9), token(".", 13, false, .9, .1, .0, .0),
            token("Bob", 15, false, .0, .8, .2, .0), token("Eve", 19, false, .0, .7, .3, .0));

    private static List<String> told(Aggregation aggregation, String... ignored) {
        return RULES.entities(WORDS, aggregation, Set.of(ignored)).stream()
                .map(e -> "%s %.2f %s %d-%d".formatted(e.label(), e.score(), e.word(), e.start(), e.end())).toList();
    }

    @Test
    void strategies() {
        assertThat(told(Aggregation.NONE, "O")).containsExactly("B-PER 0.60 Ann 0-3", "I-PER 0.50 micro 4-9",
                "LOC 0.90 ##soft 9-13", "B-PER 0.80 Bob 15-18", "B-PER 0.70 Eve 19-22");
        assertThat(told(Aggregation.SIMPLE, "O")).containsExactly("PER 0.55 Ann micro 0-9", "LOC 0.90 ##soft 9-13",
                "PER 0.80 Bob 15-18", "PER 0.70 Eve 19-22");
        assertThat(told(Aggregation.FIRST)).containsExactly("PER 0.55 Ann microsoft 0-13", "O 0.90 . 13-14",
                "PER 0.80 Bob 15-18", "PER 0.70 Eve 19-22");
        assertThat(told(Aggregation.AVERAGE, "O", "PER")).containsExactly("LOC 0.60 microsoft 4-13");
        assertThat(told(Aggregation.MAX, "PER")).containsExactly("LOC 0.90 microsoft 4-13", "O 0.90 . 13-14");
        assertThat(RULES.entities(List.of(), Aggregation.FIRST, Set.of())).isEmpty();
    }
}
