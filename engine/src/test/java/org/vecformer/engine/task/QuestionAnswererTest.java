package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Truncation;

/** Answers out of long contexts, whole words, no answer at all. */
class QuestionAnswererTest {

    private static final QuestionAnswererOptions TOP_20 = QuestionAnswererOptions.defaults().withTopK(20);

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private QuestionAnswerer task;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertForQuestionAnswering", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        task = QuestionAnswerer.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeTask() {
        task.close();
    }

    @Test
    void aLongContextIsSeenThroughWindows() {
        String context = String.join(" ", TinyBert.texts(1, 200, 12).getFirst(), "\uD83D\uDE00 end",
                TinyBert.texts(1, 200, 13).getFirst());
        List<Answer> answers = task.answer("is it good?", context, TOP_20.withStride(10));
        assertThat(answers).hasSize(20);
        assertThat(answers).extracting(Answer::score).isSortedAccordingTo(Collections.reverseOrder());
        assertThat(answers.stream().map(answer -> List.of(answer.start(), answer.end())).toList())
                .doesNotHaveDuplicates();
        for (Answer answer : answers) {
            assertThat(answer.text()).isEqualTo(context.substring(answer.start(), answer.end())).isNotEmpty();
        }
        assertThat(answers.stream().mapToInt(Answer::start).max().getAsInt())
                .as("later windows are seen").isGreaterThan(150);
        Map<List<Integer>, Double> best = new HashMap<>();
        for (Encoding window : bert.tokenizer().windows("is it good?", context, EncodingOptions.defaults()
                .withMaxLength(TinyBert.CONTEXT).withTruncation(Truncation.ONLY_SECOND).withStride(10))) {
            for (Answer answer : task.answerAll(List.of(TaskInput.of(EncoderInput.of(window))), TOP_20,
                    TaskProgress.NONE).getFirst()) {
                best.merge(List.of(window.start(answer.startToken(), OffsetUnit.CHARS),
                        window.end(answer.endToken(), OffsetUnit.CHARS)), answer.score(), Math::max);
            }
        }
        assertThat(answers).extracting(Answer::score).as("the best of all windows").isEqualTo(
                best.values().stream().sorted(Collections.reverseOrder()).limit(20).toList());
        for (Answer answer : answers) {
            assertThat(best).containsEntry(List.of(answer.start(), answer.end()), answer.score());
        }
    }

    @Test
    void anAnswerHasAtMostSoManyTokens() {
        for (Answer answer : task.answer("is it?", "the man is good in the city", TOP_20.withMaxAnswerTokens(2))) {
            assertThat(answer.endToken() - answer.startToken()).isBetween(0, 1);
        }
    }

    @Test
    void wordsAreWholeIfAskedFor() {
        String context = "zebra in the city, no?";
        boolean cut = false;
        for (Answer answer : task.answer("is it?", context, TOP_20)) {
            cut |= answer.start() > 0 && context.charAt(answer.start() - 1) != ' '
                    && Character.isLetter(context.charAt(answer.start()));
        }
        assertThat(cut).as("without, answers begin within words").isTrue();
        for (Answer answer : task.answer("is it?", context, TOP_20.withAlignToWords(true))) {
            assertThat(answer.start() == 0 || !Character.isLetter(context.charAt(answer.start()))
                    || !Character.isLetter(context.charAt(answer.start() - 1))).isTrue();
            assertThat(answer.end() == context.length() || !Character.isLetter(context.charAt(answer.end() - 1))
                    || !Character.isLetter(context.charAt(answer.end()))).isTrue();
        }
    }

    @Test
    void noAnswerIsAnAnswerIfAskedFor() {
        List<Answer> answers = task.answer("is it?", "the man", TOP_20.withNullAnswer(true));
        assertThat(answers).hasSize(4).filteredOn(Answer::isNone).singleElement().satisfies(none -> {
            assertThat(none.text()).isEmpty();
            assertThat(none.start()).isZero();
            assertThat(none.end()).isZero();
            assertThat(none.score()).isBetween(0.0, 1.0);
        });
        List<Answer> without = task.answer("is it?", "the man", TOP_20);
        assertThat(without).hasSize(3).noneMatch(Answer::isNone);
        assertThat(without.getFirst().score()).as("[CLS] takes its share").isGreaterThan(
                answers.stream().filter(answer -> !answer.isNone()).findFirst().orElseThrow().score());
        assertThat(task.answer("is it?", "", TOP_20)).isEmpty();
        assertThat(task.answer("is it?", "", TOP_20.withNullAnswer(true))).singleElement()
                .satisfies(none -> assertThat(none.isNone()).isTrue());
    }

    @Test
    void idsHaveTokensInsteadOfCharacters() {
        Encoding encoding = bert.tokenizer().encode("is it?", "the man", EncodingOptions.defaults());
        List<Answer> texts = task.answer("is it?", "the man", TOP_20);
        List<Answer> ids = task.answerAll(List.of(TaskInput.of(EncoderInput.of(encoding))), TOP_20, TaskProgress.NONE)
                .getFirst();
        assertThat(ids).extracting(Answer::startToken).isEqualTo(texts.stream().map(Answer::startToken).toList());
        assertThat(ids).extracting(Answer::text).isEqualTo(texts.stream().map(Answer::text).toList());
        assertThat(ids).extracting(Answer::start).containsOnly(-1);
        try (QuestionAnswerer bare = QuestionAnswerer.open(bert.model(), null)) {
            assertThat(bare.answerAll(List.of(TaskInput.of(EncoderInput.of(encoding))), TOP_20, TaskProgress.NONE)
                    .getFirst()).extracting(Answer::endToken).isEqualTo(texts.stream().map(Answer::endToken).toList());
        }
    }

    @Test
    void whatCannotBeDoneIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.answerAll(List.of(TaskInput.of("is it?")), TOP_20, TaskProgress.NONE))
                .withMessageContaining("context");
        assertThatIllegalArgumentException().isThrownBy(() -> task.answer("is it ".repeat(30), "the man", TOP_20))
                .withMessageContaining("shorter question");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.answer("is it?", "the man", TOP_20.withStride(100)))
                .withMessageContaining("stride is 100");
    }
}
