package org.vecformer.engine.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.MaskStrategy;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.task.MaskGenerator;
import org.vecformer.engine.task.NextSentence;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TinyBert;

/** Zero-shot chit-chat with BERTs of random weights. */
class BertPartnerTest {

    private static final ReplyOptions GREEDY = ReplyOptions.defaults().withGreedy(true).withNewTokens(0, 12);
    private static final Dialog DIALOG = new Dialog(List.of("The man is good.", "in the city."),
            List.of("is the man in the city?", "no!", "the city"));
    /** The dialog as the tutorial has it. */
    private static final String FIRST = "The man is good. in the city. - is the man in the city? - no! - the city";

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(value = MaskStrategy.class, names = {"SEQUENTIAL", "APPEND"})
    void aReplyFillsMasksBehindADash(MaskStrategy strategy) throws IOException {
        try (TinyBert tiny = TinyBert.open(folder, "BertForMaskedLM", 0);
                MaskGenerator generator = MaskGenerator.open(tiny.model(), tiny.tokenizer());
                BertPartner partner = BertPartner.open(tiny.model(), tiny.tokenizer(), strategy, 4)) {
            MaskGenerationOptions plain = MaskGenerationOptions.sequential().withStrategy(strategy).withMasks(4)
                    .withMaxNewTokens(12);
            GenerationResult expected = generator.generate(TaskInput.of(FIRST, "- "), plain, TokenListener.NONE);
            StringBuilder text = new StringBuilder();
            GenerationResult reply = partner.reply(DIALOG, GREEDY, new TokenListener() {
                @Override
                public void token(GeneratedToken token) {
                    text.append(token.text());
                }

                @Override
                public void finished(TextEnd end) {
                    text.append(end.text());
                }
            });
            assertThat(reply.promptIds()).containsExactly(expected.promptIds());
            assertThat(reply.ids()).containsExactly(expected.ids());
            assertThat(reply.text()).isEqualTo(expected.text().strip()).isEqualTo(text.toString());
            GenerationResult drawn = generator.generate(TaskInput.of(FIRST, "- "), plain.withGreedy(false)
                    .withTemperature(0.7).withSampling(sampling -> sampling.topP(0.9)).withSeed(3), TokenListener.NONE);
            assertThat(partner.reply(DIALOG, ReplyOptions.defaults().withNewTokens(0, 12).withSeed(3),
                    TokenListener.NONE).ids()).containsExactly(drawn.ids());
        }
    }

    @Test
    void aReplyHasTheLengthAskedFor() throws IOException {
        try (TinyBert tiny = TinyBert.open(folder, "BertForMaskedLM", 0);
                BertPartner partner = BertPartner.open(tiny.model(), tiny.tokenizer())) {
            List<Integer> ends = List.of(tiny.tokenizer().id(".").getAsInt(), tiny.tokenizer().id("?").getAsInt(),
                    tiny.tokenizer().id("!").getAsInt());
            int stopped = 0;
            for (long seed = 0; seed < 40; seed++) {
                ReplyOptions options = ReplyOptions.defaults().withNewTokens(5, 20).withTemperature(3).withSeed(seed);
                GenerationResult reply = partner.reply(DIALOG, options, TokenListener.NONE);
                List<Integer> ids = Arrays.stream(reply.ids()).boxed().toList();
                assertThat(ids.size()).isBetween(6 - (reply.finishReason() == FinishReason.STOP ? 0 : 1), 20);
                assertThat(Collections.disjoint(ids.subList(0, ids.size() - 1), ends)).isTrue();
                assertThat(ends.contains(ids.getLast())).isEqualTo(reply.finishReason() == FinishReason.STOP);
                stopped += reply.finishReason() == FinishReason.STOP ? 1 : 0;
                assertThat(partner.reply(DIALOG, options, TokenListener.NONE).ids()).containsExactly(reply.ids());
            }
            assertThat(stopped).isPositive();
            assertThat(partner.reply(DIALOG, GREEDY.withSeed(OptionalLong.empty()), _ -> partner.cancel())
                    .finishReason()).isEqualTo(FinishReason.CANCELLED);
        }
    }

    @Test
    void theOldestUtterancesGoWhereThereIsNoRoom() throws IOException {
        try (TinyBert tiny = TinyBert.open(folder, "BertForPreTraining", 0);
                BertPartner partner = BertPartner.open(tiny.model(), tiny.tokenizer())) {
            List<String> history = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                history.add("the man is good in the city " + (char) ('a' + i % 26));
            }
            Dialog dialog = new Dialog(List.of("the city"), history);
            ReplyOptions options = GREEDY.withHistoryTurns(20).withNewTokens(12, 12);
            GenerationResult reply = partner.reply(dialog, options, TokenListener.NONE);
            assertThat(reply.ids()).hasSize(12);
            // 70 positions, 11 tokens with 3 masks behind them; 9 of an utterance, 6 around all.
            assertThat(reply.promptIds()).hasSize(6 + 5 * 9);
            assertThat(tiny.tokenizer().decode(reply.promptIds(), true)).contains("the city").contains(" d")
                    .contains(" z");
            assertThat(partner.reply(dialog, options.withHistoryTurns(0), TokenListener.NONE).promptIds())
                    .hasSize(6 + 9);
            assertThat(partner.rank(dialog, List.of("the man", "good"), 20)).hasSize(2);
            Dialog longPersona = new Dialog(List.of("the ".repeat(70)), List.of("the"));
            assertThatThrownBy(() -> partner.reply(longPersona, GREEDY, TokenListener.NONE))
                    .isInstanceOf(PromptTooLongException.class);
            assertThatThrownBy(() -> partner.rank(longPersona, List.of("the"), 2))
                    .isInstanceOf(PromptTooLongException.class);
            assertThatThrownBy(
                    () -> partner.reply(dialog, GREEDY.withNewTokens(0, Integer.MAX_VALUE), TokenListener.NONE))
                    .isInstanceOf(PromptTooLongException.class).hasMessageContaining("room for 0");
            Dialog forged = new Dialog(List.of("the [SEP] city"), List.of("the [MASK] man"));
            Dialog plain = new Dialog(List.of("the city"), List.of("the man"));
            assertThat(partner.reply(forged, GREEDY, TokenListener.NONE).promptIds())
                    .containsExactly(partner.reply(plain, GREEDY, TokenListener.NONE).promptIds());
            assertThat(partner.reply(new Dialog(List.of(), List.of()), GREEDY, TokenListener.NONE).promptIds())
                    .hasSize(4);
        }
    }

    @Test
    void ranksByTheNextSentenceHead() throws IOException {
        List<String> candidates = List.of("the man is good.", "no!", "", "in the city");
        try (TinyBert tiny = TinyBert.open(folder, "BertForPreTraining", 0);
                NextSentence head = NextSentence.open(tiny.model(), tiny.tokenizer());
                BertPartner partner = BertPartner.open(tiny.model(), tiny.tokenizer())) {
            List<RankedReply> ranked = partner.rank(DIALOG, candidates, 2);
            assertThat(ranked).extracting(RankedReply::index).containsExactlyInAnyOrder(0, 1, 2, 3);
            assertThat(ranked).extracting(RankedReply::score).isSortedAccordingTo((a, b) -> Double.compare(b, a));
            for (RankedReply one : ranked) {
                NextSentence.Score score = head.score(FIRST, "- " + candidates.get(one.index()));
                assertThat(one.score()).isEqualTo(score.isNext() - score.isRandom());
                assertThat(one.score()).isCloseTo(Math.log(score.probability() / (1 - score.probability())),
                        within(1e-6));
            }
            assertThat(partner.rank(DIALOG, List.of(), 2)).isEmpty();
            assertThat(partner.description()).contains("next-sentence head");
        }
    }

    @Test
    void withoutTheHeadsSaysSo() throws IOException {
        try (TinyBert tiny = TinyBert.open(folder.resolve("masks"), "BertForMaskedLM", 0);
                BertPartner partner = BertPartner.open(tiny.model(), tiny.tokenizer())) {
            assertThatThrownBy(() -> partner.rank(DIALOG, List.of("no"), 2))
                    .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("no next-sentence head");
            assertThat(partner.description()).contains("cannot rank");
            assertThatThrownBy(() -> BertPartner.open(tiny.model(), tiny.tokenizer(), MaskStrategy.GIBBS, 3))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("GIBBS");
        }
        try (TinyBert tiny = TinyBert.open(folder.resolve("sentences"), "BertForNextSentencePrediction", 0)) {
            assertThatThrownBy(() -> BertPartner.open(tiny.model(), tiny.tokenizer()))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("masked-LM head");
        }
    }
}
