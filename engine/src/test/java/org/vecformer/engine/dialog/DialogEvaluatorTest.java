package org.vecformer.engine.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.loader.ModelFiles;

/**
 * Evaluation of dialogs: by hand, and against the reference's numbers on two tiny models. How these were made says
 * README.md beside them.
 */
class DialogEvaluatorTest {

    private static final ReplyOptions GREEDY = ReplyOptions.defaults().withGreedy(true);

    @TempDir
    Path folder;

    private static List<DialogExample> examples() throws IOException {
        JsonNode file = new ObjectMapper().readTree(Files.readString(TinyDialogModel.file("persona-chat.json")));
        List<DialogExample> examples = new ArrayList<>();
        for (JsonNode dialog : file.get("valid")) {
            for (JsonNode utterance : dialog.get("utterances")) {
                examples.add(new DialogExample(texts(dialog.get("personality")), texts(utterance.get("history")),
                        texts(utterance.get("candidates"))));
            }
        }
        return examples;
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    private static List<JsonNode> reference(String model) {
        return Oracle.rows(TinyDialogModel.file("persona-chat-" + model + ".jsonl"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-openai-gpt", "tiny-gpt2"})
    void everyExampleHasTheReferencesNumbers(String name) throws IOException {
        List<JsonNode> rows = reference(name);
        List<DialogExample> examples = examples();
        assertThat(rows).hasSize(examples.size() + 1);
        try (TinyDialogModel tiny = TinyDialogModel.open(name);
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            assertThat(evaluator.rankedBy()).isEqualTo("next-utterance head");
            List<ExampleScore> scores = new ArrayList<>();
            for (int i = 0; i < examples.size(); i++) {
                ExampleScore score = evaluator.score(examples.get(i), GREEDY, true);
                scores.add(score);
                JsonNode row = rows.get(i);
                for (int c = 0; c < row.get("mc_logits").size(); c++) {
                    assertThat(score.scores().get(c)).as("example %d, candidate %d", i, c)
                            .isCloseTo(row.get("mc_logits").get(c).asDouble(), within(2e-4));
                }
                int gold = score.scores().size() - 1;
                assertThat(score.tokens()).isEqualTo(row.get("tokens").get(gold).asInt());
                assertThat(score.logprob()).isCloseTo(row.get("logprobs").get(gold).asDouble(), within(1e-3));
                assertThat(WordOverlap.words(score.reply())).isEqualTo(
                        WordOverlap.words(row.get("reply").asText()));
                assertThat(score.f1()).isCloseTo(row.get("f1").asDouble(), within(1e-12));
            }
            check(DialogScore.of(scores), rows.getLast(), "hits_at_1");
            assertThat(evaluator.evaluate(examples, GREEDY, true, TaskProgress.NONE)).isEqualTo(
                    DialogScore.of(scores));
        }
    }

    private static void check(DialogScore score, JsonNode expected, String hits) {
        assertThat(score.examples()).isEqualTo(expected.get("examples").asInt());
        assertThat(score.hitsAt1()).isCloseTo(expected.get(hits).asDouble(), within(1e-12));
        assertThat(score.tokens()).isEqualTo(expected.get("tokens").asInt());
        assertThat(score.perplexity()).isCloseTo(expected.get("perplexity").asDouble(), within(1e-4));
        assertThat(score.f1()).isCloseTo(expected.get("f1").asDouble(), within(1e-12));
    }

    /** The same weights; the head has a name of the same length that says nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-openai-gpt", "tiny-gpt2"})
    void withoutTheHeadTheMeanLogProbabilityRanks(String name) throws IOException {
        Files.writeString(folder.resolve("model.safetensors"), Files
                .readString(TinyDialogModel.file(name).resolve("model.safetensors"), StandardCharsets.ISO_8859_1)
                .replace("multiple_choice_head", "a_head_of_other_uses"), StandardCharsets.ISO_8859_1);
        Files.writeString(folder.resolve("config.json"), Files
                .readString(TinyDialogModel.file(name).resolve("config.json"))
                .replace("DoubleHeadsModel", "LMHeadModel"));
        List<JsonNode> rows = reference(name);
        List<DialogExample> examples = examples();
        try (TinyDialogModel tiny = TinyDialogModel.open(name);
                Gpt model = Gpt.load(tiny.engine(), ModelFiles.of(folder), LoadOptions.defaults());
                DialogEvaluator evaluator = DialogEvaluator.open(model, tiny.tokenizer())) {
            assertThat(evaluator.rankedBy()).isEqualTo("mean log-probability");
            DialogScore sum = DialogScore.NONE;
            for (int i = 0; i < examples.size(); i++) {
                ExampleScore score = evaluator.score(examples.get(i), GREEDY, true);
                sum = sum.and(score);
                JsonNode row = rows.get(i);
                for (int c = 0; c < score.scores().size(); c++) {
                    assertThat(score.scores().get(c)).as("example %d, candidate %d", i, c)
                            .isCloseTo(row.get("logprobs").get(c).asDouble() / row.get("tokens").get(c).asInt(),
                                    within(2e-4));
                }
            }
            check(sum, rows.getLast(), "hits_at_1_by_logprob");
        }
    }

    @Test
    void theArithmeticByHand() {
        DialogScore score = DialogScore.of(List.of(
                new ExampleScore(List.of(1., 2.), true, -3, 2, "yes", 0.5),
                new ExampleScore(List.of(2., 1.), false, -9, 4, null, 0),
                new ExampleScore(List.of(0., 0., 1.), true, -6, 3, "no", 1)));
        assertThat(score.hitsAt1()).isEqualTo(2. / 3);
        // 18 nats over 9 tokens; the mean over examples (1.5, 2.25, 2) would be another one.
        assertThat(score.perplexity()).isCloseTo(Math.exp(2), within(1e-12));
        assertThat(score.f1()).isEqualTo(0.75);
        assertThat(DialogScore.NONE.hitsAt1()).isNaN();
        assertThat(DialogScore.NONE.f1()).isNaN();
    }

    @Test
    void theFirstOfEqualsIsTheBestAndMayBeGoldInOtherPlaces() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            List<String> persona = List.of("i have two dogs .");
            List<String> history = List.of("do you have any pets ?");
            String best = evaluator.score(new DialogExample(persona, history,
                    List.of("i am from oslo .", "yes , i have two dogs .")), GREEDY, false).hit()
                            ? "yes , i have two dogs ."
                            : "i am from oslo .";
            // The same tokens in other words: a special token that somebody spells out is left out of a text.
            ExampleScore equal = evaluator.score(
                    new DialogExample(persona, history, List.of(best + "<pad>", best)), GREEDY, false);
            assertThat(equal.scores().get(0)).isEqualTo(equal.scores().get(1));
            assertThat(equal.hit()).isFalse();
            assertThat(evaluator.score(new DialogExample(persona, history, List.of(best, best)), GREEDY, false).hit())
                    .isTrue();
        }
    }

    @Test
    void anExampleHasTheSameBitsWhateverCameBeforeAndWithWhom() throws IOException {
        List<DialogExample> examples = new ArrayList<>(examples());
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-openai-gpt");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            ReplyOptions drawn = ReplyOptions.defaults().withSeed(5);
            List<ExampleScore> scores = examples.stream().map(one -> evaluator.score(one, drawn, true)).toList();
            for (int i = examples.size() - 1; i >= 0; i -= 3) {
                DialogExample example = examples.get(i);
                try (DialogEvaluator fresh = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
                    assertThat(fresh.score(example, drawn, true)).isEqualTo(scores.get(i));
                    List<String> reversed = new ArrayList<>(example.candidates().reversed());
                    Collections.rotate(reversed, -1);
                    List<Double> expected = new ArrayList<>(scores.get(i).scores().reversed());
                    Collections.rotate(expected, -1);
                    assertThat(fresh.score(new DialogExample(example.persona(), example.history(), reversed), drawn,
                            false).scores()).isEqualTo(expected);
                    assertThat(fresh.score(new DialogExample(example.persona(), example.history(),
                            List.of(example.gold())), drawn, false).logprob()).isEqualTo(scores.get(i).logprob());
                }
            }
        }
    }

    @Test
    void candidatesOfManyBatchesAndALongOne() throws IOException {
        String longest = "i like playing football . ".repeat(16).strip();
        List<String> candidates = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            candidates.add("i have " + "two dogs and ".repeat(i % 9) + "a cat .");
        }
        candidates.add(longest);
        List<String> history = List.of("hello , how are you ?");
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            ExampleScore together = evaluator.score(new DialogExample(List.of(), history, candidates), GREEDY, false);
            for (int i = 0; i < candidates.size(); i++) {
                ExampleScore alone = evaluator.score(
                        new DialogExample(List.of(), history, List.of(candidates.get(i))), GREEDY, false);
                assertThat(alone.scores().getFirst()).as("candidate %d", i).isEqualTo(together.scores().get(i));
            }
            assertThat(together.tokens()).isGreaterThan(80);
        }
    }

    @Test
    void whatDoesNotFitIsAnExceptionAndTheNextOneGoesWell() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            DialogExample example = examples().getFirst();
            ExampleScore before = evaluator.score(example, GREEDY, true);
            assertThatThrownBy(() -> evaluator.score(new DialogExample(List.of("i like paris . ".repeat(60)),
                    example.history(), example.candidates()), GREEDY, true)).isInstanceOf(
                            PromptTooLongException.class);
            assertThatThrownBy(() -> evaluator.score(new DialogExample(example.persona(), example.history(),
                    List.of("i like paris . ".repeat(60), "yes")), GREEDY, true)).isInstanceOf(
                            PromptTooLongException.class);
            assertThat(evaluator.score(example, GREEDY, true)).isEqualTo(before);
        }
    }

    @Test
    void cancelledBetweenTwoExamples() throws IOException {
        List<DialogExample> examples = examples();
        List<Integer> done = new ArrayList<>();
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model(), tiny.tokenizer())) {
            assertThatThrownBy(() -> evaluator.evaluate(examples, GREEDY, true, (count, total) -> {
                assertThat(total).isEqualTo(examples.size());
                done.add(count);
                if (count == 3) {
                    evaluator.cancel();
                }
            })).isInstanceOf(CancellationException.class);
            assertThat(done).containsExactly(1, 2, 3);
            assertThat(evaluator.evaluate(examples, GREEDY, false, TaskProgress.NONE).examples()).isEqualTo(
                    examples.size());
        }
    }

    @Test
    void aCancellationEndsTheEvaluation() throws IOException {
        List<DialogExample> examples = examples();
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2");
                DialogEvaluator evaluator = DialogEvaluator.open(tiny.model())) {
            Cancellation cancellation = new Cancellation();
            List<Integer> done = new ArrayList<>();
            assertThatThrownBy(() -> evaluator.evaluate(examples, GREEDY, true, (count, _) -> {
                done.add(count);
                if (count == 3) {
                    cancellation.cancel();
                }
            }, cancellation)).isInstanceOf(CancellationException.class);
            assertThat(done).containsExactly(1, 2, 3);
            assertThatThrownBy(
                    () -> evaluator.score(examples.getFirst(), GREEDY, true, Cancellation.after(Duration.ZERO)))
                    .isInstanceOf(DeadlineException.class);
        }
    }

    @Test
    void anExampleNeedsGold() {
        assertThatThrownBy(() -> new DialogExample(List.of(), List.of("hello"), List.of()))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no candidates");
    }
}
