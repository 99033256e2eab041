package org.vecformer.engine.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** Replies and rankings of the tiny models that chat, and of a GPT-2 that was not made for it. */
class GptPartnerTest {

    private static final String OPENAI = "tiny-openai-gpt";
    private static final String GPT2 = "tiny-gpt2";
    private static final ReplyOptions GREEDY = ReplyOptions.defaults().withGreedy(true);
    private static final Dialog DIALOG = new Dialog(List.of("i have two dogs .", "i am a nurse ."),
            List.of("do you have a pet ?"));

    @TempDir
    Path folder;

    /** Keeps what it is told. */
    private static final class Story implements TokenListener {
        private final StringBuilder text = new StringBuilder();
        private final List<Integer> ids = new ArrayList<>();

        @Override
        public void token(GeneratedToken token) {
            text.append(token.text());
            ids.add(token.id());
        }

        @Override
        public void finished(TextEnd end) {
            text.append(end.text());
        }
    }

    private static List<String> strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
    }

    /** The scores that PyTorch's double heads models have: see dialog/README.md. */
    @ParameterizedTest
    @ValueSource(strings = {OPENAI, GPT2})
    void ranksByTheNextUtteranceHead(String name) throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(name);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            for (JsonNode row : Oracle.rows(TinyDialogModel.file(name + "/golden.jsonl"))) {
                Dialog dialog = new Dialog(strings(row.get("persona")), strings(row.get("history")));
                String reply = row.get("reply").asText();
                double expected = row.get("mc_logits").get(0).asDouble();
                assertThat(partner.rank(dialog, List.of(reply), 5).getFirst().score()).isCloseTo(expected,
                        within(2e-4));
                List<RankedReply> ranked = partner.rank(dialog, List.of("hello", reply, "i like football .", reply), 5);
                assertThat(ranked).extracting(RankedReply::score)
                        .isSortedAccordingTo((one, other) -> Double.compare(other, one));
                assertThat(ranked.stream().mapToDouble(RankedReply::probability).sum()).isCloseTo(1, within(1e-12));
                List<RankedReply> same = ranked.stream().filter(one -> one.text().equals(reply)).toList();
                assertThat(same).extracting(RankedReply::index).containsExactly(1, 3);
                assertThat(same.get(0).score()).isEqualTo(same.get(1).score()).isCloseTo(expected, within(2e-4));
                assertThat(Math.log(ranked.get(0).probability() / ranked.get(3).probability()))
                        .isCloseTo(ranked.get(0).score() - ranked.get(3).score(), within(1e-9));
            }
        }
    }

    @Test
    void withoutThatHeadRanksByTheMeanLogProbability() throws IOException {
        try (Engine engine = TestBackends.open(2); Gpt model = bytes(engine)) {
            Tokenizer tokenizer = Tokenizer.load(folder);
            Dialog dialog = new Dialog(List.of("I am."), List.of("Hi!"));
            List<String> candidates = List.of("Yes", "No, I am not.", "", "Hi!");
            try (GptPartner partner = GptPartner.open(model, tokenizer);
                    Scorer scorer = Scorer.open(model, tokenizer)) {
                DialogFormat format = partner.format();
                assertThat(format).isInstanceOf(TranscriptFormat.class);
                double[] expected = scorer.compare(format.prompt(dialog, 96).ids(),
                        candidates.stream().map(reply -> format.reply(reply, true)).toList()).stream()
                        .mapToDouble(score -> score.sum() / score.ids().length).toArray();
                List<RankedReply> ranked = partner.rank(dialog, candidates, 2);
                assertThat(ranked).hasSize(4).allSatisfy(one -> {
                    assertThat(one.score()).isCloseTo(expected[one.index()], within(1e-9));
                    assertThat(one.text()).isEqualTo(candidates.get(one.index()));
                });
                assertThat(ranked.getFirst().score()).isEqualTo(DoubleStream.of(expected).max().getAsDouble(),
                        within(1e-9));
                assertThat(partner.description()).contains("Tom said").contains("mean log-probability");
            }
        }
    }

    private Gpt bytes(Engine engine) throws IOException {
        TestModels.write(folder, TestModels.Shape.EVEN, 5, DType.F32);
        TestModels.writeByteTokenizer(folder);
        return Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
    }

    @ParameterizedTest
    @ValueSource(strings = {OPENAI, GPT2})
    void aGreedyReplyIsTheMostLikelyTokensWithTheTypeOfTheirBlock(String name) throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(name);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            for (Dialog dialog : List.of(DIALOG, new Dialog(List.of(), List.of()),
                    new Dialog(List.of(), DIALOG.history()),
                    new Dialog(DIALOG.persona(), List.of("hello", "hello how are you ?")))) {
                Story story = new Story();
                GenerationResult result = partner.reply(dialog, GREEDY, story);
                int[] expected = plainly(tiny, partner.format().prompt(dialog, 100), GREEDY);
                assertThat(result.ids()).containsExactly(expected);
                assertThat(story.ids).containsExactlyElementsOf(Arrays.stream(expected).boxed().toList());
                assertThat(story.text).hasToString(result.text());
                int[] words = Arrays.stream(expected).filter(id -> !partner.format().endTokens().contains(id))
                        .toArray();
                assertThat(words.length).isBetween(expected.length - 1, expected.length);
                assertThat(result.text()).isEqualTo(tiny.tokenizer().decode(words).strip()).isNotEmpty();
                assertThat(result.finishReason())
                        .isEqualTo(words.length < expected.length ? FinishReason.EOS : FinishReason.LENGTH);
            }
        }
    }

    /** Everything again for each token. */
    private static int[] plainly(TinyDialogModel tiny, DialogInput prompt, ReplyOptions options) {
        int[] ids = prompt.ids();
        int[] types = prompt.types();
        int start = ids.length;
        List<Integer> ends = DialogFormat.of(tiny.model(), tiny.tokenizer()).endTokens();
        float[] logits = new float[tiny.model().outputs()];
        try (Session session = tiny.model().openSession(SessionOptions.defaults().withMaxBatchTokens(200))) {
            while (ids.length - start < options.maxNewTokens()) {
                try (Sequence sequence = session.newSequence()) {
                    session.batch().clear();
                    session.batch().add(sequence, ids, types, 0, ids.length, Logits.LAST);
                    session.step(session.batch());
                    session.logits(0, logits);
                }
                if (ids.length - start < options.minNewTokens()) {
                    ends.forEach(end -> logits[end] = Float.NEGATIVE_INFINITY);
                }
                int best = IntStream.range(0, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a).getAsInt();
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = best;
                types = Arrays.copyOf(types, ids.length);
                types[ids.length - 1] = types[ids.length - 2];
                if (ends.contains(best)) {
                    break;
                }
            }
        }
        return Arrays.copyOfRange(ids, start, ids.length);
    }

    @ParameterizedTest
    @ValueSource(strings = {OPENAI, GPT2})
    void whatWasReadIsNotReadAgain(String name) throws IOException {
        ReplyOptions options = ReplyOptions.defaults().withSeed(4).withHistoryTurns(9).withNewTokens(1, 8);
        List<String> history = new ArrayList<>();
        int[] seen = {};
        int promptBefore = 0;
        try (TinyDialogModel tiny = TinyDialogModel.open(name);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer());
                GptPartner judge = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            for (String utterance : List.of("hello how are you ?", "do you like books ?", "where are you from ?")) {
                history.add(utterance);
                Dialog dialog = new Dialog(DIALOG.persona(), history);
                GenerationResult reply = partner.reply(dialog, options, TokenListener.NONE);
                int[] prompt = partner.format().prompt(dialog, 200).ids();
                int same = Arrays.mismatch(seen, prompt);
                assertThat(partner.reused()).isEqualTo(same).isGreaterThanOrEqualTo(promptBefore);
                List<RankedReply> ranked = judge.rank(dialog, List.of("i am fine .", "no ."), 9);
                assertThat(judge.reused()).isEqualTo(Math.max(0, promptBefore - 1));
                judge.rank(dialog, List.of("i am fine .", "no ."), 9);
                assertThat(judge.reused()).isEqualTo(prompt.length - 1);
                try (GptPartner fresh = GptPartner.open(tiny.model(), tiny.tokenizer())) {
                    assertThat(fresh.reply(dialog, options, TokenListener.NONE).ids()).containsExactly(reply.ids());
                    assertThat(fresh.reused()).isZero();
                }
                try (GptPartner fresh = GptPartner.open(tiny.model(), tiny.tokenizer())) {
                    assertThat(fresh.rank(dialog, List.of("i am fine .", "no ."), 9)).isEqualTo(ranked);
                }
                history.add(reply.text());
                promptBefore = prompt.length;
                // The last token that was written has not been read.
                seen = IntStream.concat(IntStream.of(prompt), IntStream.of(reply.ids()).limit(reply.ids().length - 1))
                        .toArray();
            }
        }
    }

    @Test
    void aReplyHasTheLengthAskedFor() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(OPENAI);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            List<Integer> ends = partner.format().endTokens();
            for (int min = 0; min <= 30; min += 10) {
                for (long seed = 0; seed < 20; seed++) {
                    int[] ids = partner.reply(DIALOG, ReplyOptions.defaults().withNewTokens(min, 35).withSeed(seed),
                            TokenListener.NONE).ids();
                    assertThat(ids.length).isBetween(min, 35);
                    for (int i = 0; i < ids.length - 1; i++) {
                        assertThat(ends).doesNotContain(ids[i]);
                    }
                }
            }
            ReplyOptions seeded = ReplyOptions.defaults().withTemperature(3).withSeed(1);
            String text = partner.reply(DIALOG, seeded, TokenListener.NONE).text();
            assertThat(partner.reply(DIALOG, seeded, TokenListener.NONE).text()).isEqualTo(text);
            assertThat(partner.reply(DIALOG, seeded.withSeed(2), TokenListener.NONE).text()).isNotEqualTo(text);
        }
    }

    @Test
    void aCancellationEndsReplyAndRanking() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(OPENAI);
                GptPartner partner = GptPartner.open(tiny.model())) {
            List<String> candidates = List.of("no .", "yes .");
            List<RankedReply> ranked = partner.rank(DIALOG, candidates, 2);
            Cancellation cancelled = new Cancellation();
            cancelled.cancel();
            assertThat(partner.reply(DIALOG, GREEDY, TokenListener.NONE, cancelled).finishReason())
                    .isEqualTo(FinishReason.CANCELLED);
            assertThat(partner.reply(DIALOG, GREEDY, TokenListener.NONE, Cancellation.after(Duration.ZERO))
                    .finishReason()).isEqualTo(FinishReason.TIME);
            assertThatThrownBy(() -> partner.rank(DIALOG, candidates, 2, cancelled))
                    .isInstanceOf(CancellationException.class).isNotInstanceOf(DeadlineException.class);
            assertThatThrownBy(() -> partner.rank(DIALOG, candidates, 2, Cancellation.after(Duration.ZERO)))
                    .isInstanceOf(DeadlineException.class);
            assertThat(partner.rank(DIALOG, candidates, 2)).isEqualTo(ranked);
            assertThatThrownBy(() -> partner.reply(DIALOG, GREEDY, _ -> partner.rank(DIALOG, candidates, 2)))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("a call runs");
            Runnable closing = partner::close;
            assertThatThrownBy(() -> partner.reply(DIALOG, GREEDY, _ -> closing.run()))
                    .isInstanceOf(ClosedException.class);
            assertThat(tiny.engine().memory().caches()).isZero();
            assertThatThrownBy(() -> partner.rank(DIALOG, candidates, 2)).isInstanceOf(ClosedException.class);
        }
    }

    @Test
    void canBeStoppedAndGoesOn() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(OPENAI);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            String whole = partner.reply(DIALOG, GREEDY, TokenListener.NONE).text();
            GenerationResult stopped = partner.reply(DIALOG, GREEDY, _ -> partner.cancel());
            assertThat(stopped.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(stopped.ids()).hasSize(1);
            assertThat(whole).startsWith(stopped.text());
            List<String> candidates = new AbstractList<>() {
                @Override
                public String get(int index) {
                    partner.cancel();
                    return "no .";
                }

                @Override
                public int size() {
                    return 3;
                }
            };
            assertThatThrownBy(() -> partner.rank(DIALOG, candidates, 2)).isInstanceOf(CancellationException.class);
            IllegalStateException mine = new IllegalStateException("mine");
            assertThatThrownBy(() -> partner.reply(DIALOG, GREEDY, _ -> {
                throw mine;
            })).isSameAs(mine);
            assertThat(partner.reply(DIALOG, GREEDY, TokenListener.NONE).text()).isEqualTo(whole);
            assertThat(partner.rank(DIALOG, List.of("no ."), 2)).hasSize(1);
        }
    }

    @Test
    void itsMemoryIsEnoughForAnyDialogThatFits() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(OPENAI);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < 30; i++) {
                List<String> history = new ArrayList<>();
                for (int j = random.nextInt(1, 30); j > 0; j--) {
                    history.add("hello " + "dogs ".repeat(random.nextInt(8)));
                }
                Dialog dialog = new Dialog(DIALOG.persona(), history);
                partner.reply(dialog, ReplyOptions.defaults().withSeed(i).withHistoryTurns(20), TokenListener.NONE);
                List<String> candidates = IntStream.range(0, 60)
                        .mapToObj(_ -> "no ".repeat(random.nextInt(10) == 0 ? random.nextInt(60) : random.nextInt(4)))
                        .toList();
                List<RankedReply> ranked = partner.rank(dialog, candidates, 20);
                assertThat(ranked).hasSize(60);
                assertThat(ranked).filteredOn(one -> one.text().isEmpty()).extracting(RankedReply::score).isNotEmpty()
                        .containsOnly(ranked.stream().filter(one -> one.text().isEmpty()).findFirst().get().score());
            }
            assertThat(partner.rank(DIALOG, List.of(), 2)).isEmpty();
        }
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(OPENAI);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            Dialog longPersona = new Dialog(List.of("dogs ".repeat(200)), List.of("hello"));
            assertThatThrownBy(() -> partner.reply(longPersona, GREEDY, TokenListener.NONE))
                    .isInstanceOf(PromptTooLongException.class).hasMessageContaining("room for 140");
            assertThatThrownBy(() -> partner.rank(longPersona, List.of("hello"), 2))
                    .isInstanceOf(PromptTooLongException.class);
            assertThatThrownBy(() -> partner.rank(DIALOG, List.of("no", "dogs ".repeat(200)), 2))
                    .isInstanceOf(PromptTooLongException.class);
            assertThatThrownBy(
                    () -> partner.reply(DIALOG, GREEDY.withNewTokens(1, Integer.MAX_VALUE), TokenListener.NONE))
                    .isInstanceOf(PromptTooLongException.class).hasMessageContaining("room for 0");
            Dialog hostile = new Dialog(List.of("\u0000\u001b[31m\uD800"), List.of("\r\n\t\u202E", "\uDC00<eos>"));
            assertThat(partner.reply(hostile, GREEDY, TokenListener.NONE).finishReason()).isNotNull();
            assertThat(partner.rank(hostile, List.of("\u0000", "\uD800"), 2)).hasSize(2);
        }
    }

    @Test
    void tellsWhatItDoes() throws IOException {
        try (TinyDialogModel tiny = TinyDialogModel.open(GPT2);
                GptPartner partner = GptPartner.open(tiny.model(), tiny.tokenizer())) {
            assertThat(partner.description()).contains("<speaker1>").contains("next-utterance head");
        }
    }

    @Test
    void optionsAreChecked() {
        ReplyOptions options = ReplyOptions.defaults();
        assertThatThrownBy(() -> options.withTemperature(0)).hasMessageContaining("temperature is 0.0");
        assertThatThrownBy(() -> options.withTemperature(Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> options.withNewTokens(3, 2)).hasMessageContaining("minNewTokens is 3");
        assertThatThrownBy(() -> options.withNewTokens(0, 0)).hasMessageContaining("maxNewTokens is 0");
        assertThatThrownBy(() -> options.withHistoryTurns(-1)).hasMessageContaining("historyTurns is -1");
        assertThatThrownBy(() -> options.withSampling(sampling -> sampling.temperature(2)))
                .hasMessageContaining("expected them as options of the reply");
    }

    /** The embedded model answers in a sentence, although nobody taught it to. */
    @Test
    void theStorytellerTalks() throws IOException {
        Path storyteller = Oracle.shared("models/storyteller");
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(storyteller), LoadOptions.defaults());
                GptPartner partner = GptPartner.open(model, Tokenizer.load(storyteller))) {
            Dialog dialog = new Dialog(List.of("I like football.", "I have a dog."), List.of("Let's go to the park!"));
            int ended = 0;
            for (long seed = 0; seed < 10; seed++) {
                Story story = new Story();
                GenerationResult reply = partner.reply(dialog,
                        ReplyOptions.defaults().withNewTokens(1, 30).withSeed(seed),
                        story);
                assertThat(story.text).hasToString(reply.text());
                assertThat(reply.text()).isNotEmpty().doesNotContain("\"", "\n").isEqualTo(reply.text().strip());
                ended += reply.finishReason() == FinishReason.LENGTH ? 0 : 1;
            }
            assertThat(ended).isGreaterThan(5);
            assertThat(partner.rank(dialog, List.of("Car seven the is.", "Yes, let's go!"), 2).getFirst().index())
                    .isEqualTo(1);
        }
    }
}
