package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.behind;
import static org.vecformer.engine.sampler.Steps.kept;
import static org.vecformer.engine.sampler.Steps.logitsAfter;
import static org.vecformer.engine.sampler.Steps.logs;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The recipe: what is in a chain, in which order, and what all samplers have to keep to. */
class SamplingTest {
    private static final SamplingContext CONTEXT = new SamplingContext(100, new int[]{0}, 1, 17);

    /** Every stage, with parameters that do something. */
    private static final Map<SamplerKind, UnaryOperator<Sampling>> STAGES = new EnumMap<>(Map.ofEntries(
            Map.entry(SamplerKind.SEQUENCE_BIAS, s -> s.sequenceBias(Map.of(List.of(3), 1f, List.of(1, 2), -2f))),
            Map.entry(SamplerKind.ENCODER_REPETITION_PENALTY, s -> s.encoderRepetitionPenalty(1.3)),
            Map.entry(SamplerKind.REPETITION_PENALTY, s -> s.repetitionPenalty(1.2)),
            Map.entry(SamplerKind.PRESENCE_FREQUENCY_PENALTY, s -> s.presenceFrequencyPenalty(0.3, 0.2, 10)),
            Map.entry(SamplerKind.DRY, s -> s.dry(0.8, 1.75, 1, 20, List.of(new int[]{9}))),
            Map.entry(SamplerKind.NO_REPEAT_NGRAM, s -> s.noRepeatNgramSize(2)),
            Map.entry(SamplerKind.ENCODER_NO_REPEAT_NGRAM, s -> s.encoderNoRepeatNgramSize(2)),
            Map.entry(SamplerKind.BAD_WORDS, s -> s.badWords(List.of(new int[]{4}, new int[]{1, 3}))),
            Map.entry(SamplerKind.MIN_LENGTH, s -> s.minLength(9)),
            Map.entry(SamplerKind.MIN_NEW_TOKENS, s -> s.minNewTokens(5)),
            Map.entry(SamplerKind.CONSTRAINT, s -> s.constraint(new SuppressTokens(7))),
            Map.entry(SamplerKind.FORCED_FIRST_TOKEN, s -> s.forcedFirstToken(2)),
            Map.entry(SamplerKind.FORCED_LAST_TOKEN, s -> s.forcedLastToken(0)),
            Map.entry(SamplerKind.REMOVE_INVALID_VALUES, Sampling::removeInvalidValues),
            Map.entry(SamplerKind.EXPONENTIAL_DECAY_LENGTH_PENALTY, s -> s.exponentialDecayLengthPenalty(2, 1.1)),
            Map.entry(SamplerKind.SUPPRESS_TOKENS, s -> s.suppressTokens(5)),
            Map.entry(SamplerKind.BEGIN_SUPPRESS_TOKENS, s -> s.beginSuppressTokens(6)),
            Map.entry(SamplerKind.TEMPERATURE, s -> s.temperature(0.8)),
            Map.entry(SamplerKind.TOP_N_SIGMA, s -> s.topNSigma(2)), Map.entry(SamplerKind.TOP_H, s -> s.topH(0.9)),
            Map.entry(SamplerKind.TOP_K, s -> s.topK(20)), Map.entry(SamplerKind.TOP_P, s -> s.topP(0.9)),
            Map.entry(SamplerKind.MIN_P, s -> s.minP(0.01)), Map.entry(SamplerKind.TYPICAL_P, s -> s.typicalP(0.9)),
            Map.entry(SamplerKind.EPSILON_CUTOFF, s -> s.epsilonCutoff(0.001)),
            Map.entry(SamplerKind.ETA_CUTOFF, s -> s.etaCutoff(0.001)),
            Map.entry(SamplerKind.XTC, s -> s.xtc(0.5, 0.1)),
            Map.entry(SamplerKind.RENORMALIZE, Sampling::renormalize)));

    private static Sampling everything() {
        Sampling sampling = Sampling.none();
        for (UnaryOperator<Sampling> stage : STAGES.values()) {
            sampling = stage.apply(sampling);
        }
        return sampling;
    }

    @Test
    void everyKindHasItsParameters() {
        assertThat(STAGES).containsOnlyKeys(SamplerKind.values());
        STAGES.forEach((kind, stage) -> {
            Sampling sampling = stage.apply(Sampling.none());
            assertThat(sampling.has(kind)).as("%s", kind).isTrue();
            assertThat(sampling).hasToString("Sampling[" + kind.label() + "]");
            assertThat(sampling.processors(CONTEXT, true).samplers()).hasSize(1);
            assertThat(sampling.processors(CONTEXT, false).samplers()).hasSize(kind.isForDrawing() ? 0 : 1);
            assertThat(sampling.without(kind)).hasToString("Sampling[]");
            assertThat(SamplerKind.of(kind.label())).contains(kind);
            assertThat(SamplerKind.of(kind.label().replace('_', '-'))).contains(kind);
        });
        assertThat(everything().processors(CONTEXT, true).samplers()).hasSize(SamplerKind.values().length);
        assertThat(Sampling.none().processors(CONTEXT, true).samplers()).isEmpty();
    }

    @Test
    void theDefaultOrderIsThatOfHuggingFace() {
        assertThat(everything().processors(CONTEXT, true).samplers()).extracting(s -> s.getClass().getSimpleName())
                .containsExactly("SequenceBias", "EncoderRepetitionPenalty", "RepetitionPenalty",
                        "PresenceFrequencyPenalty", "Dry", "NoRepeatNgram", "EncoderNoRepeatNgram", "BadWords",
                        "MinLength",
                        "MinNewTokens", "SuppressTokens", "ForcedFirstToken", "ForcedLastToken", "RemoveInvalidValues",
                        "ExponentialDecayLengthPenalty", "SuppressTokens", "BeginSuppressTokens", "Temperature",
                        "TopNSigma", "TopH", "TopK", "TopP", "MinP", "TypicalP", "EpsilonCutoff", "EtaCutoff", "Xtc",
                        "Renormalize");
    }

    @Test
    void valuesThatChangeNothingAreNotThere() {
        Sampling neutral = everything().temperature(1).topK(0).topP(1).minP(0).typicalP(1).epsilonCutoff(0).etaCutoff(0)
                .topNSigma(0).xtc(0, 0.1).repetitionPenalty(1).encoderRepetitionPenalty(1)
                .presenceFrequencyPenalty(0, 0, 64).dry(0).noRepeatNgramSize(0).encoderNoRepeatNgramSize(0).minLength(0)
                .minNewTokens(0).exponentialDecayLengthPenalty(5, 1);
        assertThat(neutral).hasToString("Sampling[sequence_bias, bad_words, constraint, forced_first_token, "
                + "forced_last_token, remove_invalid_values, suppress_tokens, begin_suppress_tokens, top_h, renormalize]");
    }

    @Test
    void whatMakesNoSenseIsRefusedAtOnce() {
        for (UnaryOperator<Sampling> bad : List.<UnaryOperator<Sampling>>of(s -> s.temperature(0), s -> s.topK(-1),
                s -> s.topP(1.5), s -> s.minP(2), s -> s.typicalP(0), s -> s.epsilonCutoff(1), s -> s.etaCutoff(-1),
                s -> s.topH(0), s -> s.topNSigma(-1), s -> s.xtc(2, 0.1), s -> s.repetitionPenalty(0),
                s -> s.encoderRepetitionPenalty(-1), s -> s.presenceFrequencyPenalty(Double.NaN, 0, 0), s -> s.dry(-1),
                s -> s.noRepeatNgramSize(-1), s -> s.encoderNoRepeatNgramSize(-1), s -> s.badWords(List.of()),
                s -> s.sequenceBias(Map.of()), s -> s.logitBias(Map.of(-1, 1f)), s -> s.suppressTokens(-1),
                s -> s.beginSuppressTokens(-1), s -> s.minLength(-1), s -> s.minNewTokens(-1),
                s -> s.forcedFirstToken(-1), s -> s.forcedLastToken(), s -> s.exponentialDecayLengthPenalty(1, 0),
                s -> s.mirostat(0, 0.1), s -> s.order(List.of(SamplerKind.TOP_K, SamplerKind.TOP_K)))) {
            assertThatIllegalArgumentException().isThrownBy(() -> bad.apply(Sampling.none()));
        }
    }

    @Test
    void theOrderMattersAsStated() {
        Sampling sampling = Sampling.none().temperature(0.5).topP(0.5).repetitionPenalty(2);
        float[] logits = logs(0.1, 0.2, 0.3, 0.4);
        // The temperature first: 16/30 > 0.5, so one stays.
        assertThat(kept(sampling.processors(CONTEXT, true), logits)).containsExactly(3);
        Sampling turned = sampling
                .order(List.of(SamplerKind.TOP_P, SamplerKind.TEMPERATURE, SamplerKind.REPETITION_PENALTY));
        assertThat(turned).hasToString("Sampling[top_p, temperature, repetition_penalty]");
        // Top-p first: 0.4 < 0.5, so two stay.
        assertThat(kept(turned.processors(CONTEXT, true), logits)).containsExactly(2, 3);
        // The penalty last, on half of a logit of 8; or first, so that the token does not stay.
        Sampling last = Sampling.none().topK(1).repetitionPenalty(4).order(List.of(SamplerKind.TOP_K,
                SamplerKind.TEMPERATURE, SamplerKind.REPETITION_PENALTY));
        assertThat(logitsAfter(behind(last.processors(CONTEXT, true), new int[]{1}), 5, 8)).containsExactly(LOWEST, 2);
        assertThat(
                logitsAfter(behind(last.order(List.of(SamplerKind.values())).processors(CONTEXT, true), new int[]{1}),
                        5, 8))
                .containsExactly(5, LOWEST);
        assertThat(sampling).as("unchanged").hasToString("Sampling[repetition_penalty, temperature, top_p]");
    }

    @Test
    void whatTheOrderLacksIsNotLeftOutInSilence() {
        Sampling sampling = Sampling.none().temperature(0.5).topK(3).topP(0.5).order(List.of(SamplerKind.TOP_K));
        for (boolean drawing : new boolean[]{true, false}) {
            assertThatIllegalArgumentException().isThrownBy(() -> sampling.processors(CONTEXT, drawing))
                    .withMessage(
                            "The order of samplers is top_k; it lacks temperature, top_p, which is set: put it in its "
                                    + "place, or do not set it");
        }
    }

    @Test
    void theContextReachesTheSamplers() {
        SamplingContext beams = new SamplingContext(4, new int[]{1, 2}, 3, 5);
        float[] logits = logs(0.4, 0.3, 0.2, 0.06, 0.04);
        for (UnaryOperator<Sampling> truncation : List.<UnaryOperator<Sampling>>of(s -> s.topK(1), s -> s.topP(0.1),
                s -> s.minP(1), s -> s.epsilonCutoff(0.9), s -> s.etaCutoff(0.9))) {
            assertThat(kept(truncation.apply(Sampling.none()).processors(beams, true), logits)).containsExactly(0, 1,
                    2);
        }
        assertThat(kept(Sampling.none().typicalP(0.01).processors(beams, true), logits)).hasSize(3);
        assertThat(kept(Sampling.none().xtc(1, 0.03).processors(beams, true), logits)).hasSize(5);
        Sampling ends = Sampling.none().minLength(3).minNewTokens(1);
        assertThat(logitsAfter(behind(ends.processors(beams, false), new int[]{0, 0, 0}), 9, 9, 9))
                .containsExactly(9, LOWEST, LOWEST);
        Sampling bad = Sampling.none().badWords(List.of(new int[]{1}, new int[]{0}));
        assertThat(logitsAfter(bad.processors(beams, false), 9, 9)).containsExactly(LOWEST, 9);
        assertThat(
                logitsAfter(behind(Sampling.none().forcedLastToken(0).processors(beams, false), new int[]{0, 0, 0}), 9,
                        9))
                .containsExactly(0, LOWEST);
        SamplingContext endless = new SamplingContext(100, new int[0], 1, 5);
        assertThat(logitsAfter(ends.processors(endless, false), 9, 9)).containsExactly(9, 9);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Sampling.none().exponentialDecayLengthPenalty(1, 2).processors(endless, false))
                .withMessageContaining("no end token");
    }

    @Test
    void aForcedFirstTokenMovesTheBeginning() {
        for (Sampling sampling : List.of(Sampling.none().beginSuppressTokens(1).forcedFirstToken(2),
                Sampling.none().forcedFirstToken(2).beginSuppressTokens(1))) {
            SamplerChain chain = behind(sampling.processors(CONTEXT, false), new int[]{0});
            assertThat(logitsAfter(chain, 9, 9, 9)).containsExactly(LOWEST, LOWEST, 0);
            chain.accept(2);
            assertThat(logitsAfter(chain, 9, 9, 9)).containsExactly(9, LOWEST, 9);
        }
    }

    @Test
    void biasesAreAddedToThoseThereAre() {
        Sampling sampling = Sampling.none().logitBias(Map.of(0, 1f, 1, 2f)).sequenceBias(Map.of(List.of(1), 5f))
                .sequenceBias(Map.of(List.of(0, 2), 3f));
        assertThat(logitsAfter(behind(sampling.processors(CONTEXT, false), new int[]{0}), 0, 0, 0)).containsExactly(1,
                5,
                3);
        Sampling again = sampling.without(SamplerKind.SEQUENCE_BIAS).logitBias(Map.of(2, 1f));
        assertThat(logitsAfter(behind(again.processors(CONTEXT, false), new int[]{0}), 0, 0, 0)).containsExactly(0, 0,
                1);
    }

    @Test
    void whatIsGivenMayChangeAfterwards() {
        int[] ids = {1};
        int[] word = {2};
        Sampling sampling = Sampling.none().suppressTokens(ids).beginSuppressTokens(ids).forcedLastToken(ids)
                .badWords(List.of(word)).dry(1, 2, 1, 0, List.of(ids));
        ids[0] = -5;
        word[0] = -5;
        assertThat(logitsAfter(behind(sampling.processors(CONTEXT, false), new int[0], 2), 9, 9, 9))
                .containsExactly(9, LOWEST, LOWEST);
    }

    @Test
    void theChoiceIsMultinomialOrMirostat() {
        assertThat(Sampling.none().draw(3)).isInstanceOf(Multinomial.class);
        assertThat(Sampling.none().drawsPlainly()).isTrue();
        Sampling mirostat = Sampling.none().mirostat(5, 0.1).topK(3);
        assertThat(mirostat.draw(3)).isInstanceOf(Mirostat.class);
        assertThat(mirostat.drawsPlainly()).isFalse();
        assertThat(Sampling.none().topK(3).drawsPlainly()).isTrue();
    }

    @Test
    void twoSequencesOfOneRecipeAreIndependent() {
        Sampling sampling = everything();
        SamplerChain first = sampling.processors(CONTEXT, true);
        SamplerChain second = sampling.processors(CONTEXT, true);
        SplittableRandom random = new SplittableRandom(51);
        float[][] steps = steps(random, 40);
        float[][] expected = walk(first, new int[]{1, 2, 3}, steps);
        walk(sampling.processors(CONTEXT, true), new int[]{4, 4, 4}, steps(random, 40));
        assertThat(walk(second, new int[]{1, 2, 3}, steps)).isEqualTo(expected);
    }

    @Test
    void copiesGoTheirOwnWayAndResetLeavesNoTrace() {
        SplittableRandom random = new SplittableRandom(52);
        float[][] before = steps(random, 25);
        float[][] after = steps(random, 25);
        int[] prompt = {1, 2, 3, 1, 2};
        for (Map.Entry<SamplerKind, UnaryOperator<Sampling>> stage : STAGES.entrySet()) {
            Sampler sampler = stage.getValue().apply(Sampling.none()).processors(CONTEXT, true);
            float[][] first = walk(sampler, prompt, before);
            Sampler copy = sampler.copy();
            Sampler kept = sampler.copy();
            float[][] then = walk(sampler, new int[0], after);
            // Neither the original's further way nor another one of a copy has moved this copy.
            walk(kept, new int[]{3, 3, 3}, before);
            assertThat(walk(copy, new int[0], after)).as("%s", stage.getKey()).isEqualTo(then);
            sampler.reset();
            assertThat(walk(sampler, prompt, before)).as("%s", stage.getKey()).isEqualTo(first);
            copy.reset();
            assertThat(walk(copy, prompt, before)).as("%s", stage.getKey()).isEqualTo(first);
        }
    }

    @Test
    void mirostatIsCopiedAndResetToo() {
        SplittableRandom random = new SplittableRandom(53);
        float[][] steps = steps(random, 30);
        Sampler mirostat = Sampling.none().mirostat(2, 0.3).draw(4);
        float[][] first = walk(mirostat, new int[0], steps);
        Sampler copy = mirostat.copy();
        float[][] then = walk(mirostat, new int[0], steps);
        assertThat(then).isNotEqualTo(first);
        assertThat(walk(copy, new int[0], steps)).isEqualTo(then);
        mirostat.reset();
        assertThat(walk(mirostat, new int[0], steps)).isEqualTo(first);
    }

    /** All logits after each step; the token accepted is the best one left, or that which was selected. */
    private static float[][] walk(Sampler sampler, int[] prompt, float[][] steps) {
        if (prompt.length > 0) {
            sampler.acceptPrompt(prompt);
        }
        Candidates candidates = new Candidates(steps[0].length);
        float[][] after = new float[steps.length][];
        for (int step = 0; step < steps.length; step++) {
            candidates.load(steps[step]);
            sampler.apply(candidates);
            after[step] = new float[steps[step].length];
            for (int id = 0; id < after[step].length; id++) {
                int index = candidates.indexOf(id);
                after[step][id] = index < 0 ? LOWEST : candidates.logits()[index];
            }
            if (candidates.selected() < 0) {
                new Greedy().apply(candidates);
            }
            sampler.accept(candidates.selectedToken());
        }
        return after;
    }

    private static float[][] steps(SplittableRandom random, int count) {
        float[][] steps = new float[count][30];
        for (float[] step : steps) {
            for (int id = 0; id < step.length; id++) {
                step[id] = (float) random.nextGaussian() * 2;
            }
        }
        return steps;
    }

    @Test
    void noStageTakesEverythingAwayOrFails() {
        SplittableRandom random = new SplittableRandom(54);
        float[] odd = {LOWEST, Float.NaN, Float.POSITIVE_INFINITY, 0, -0f, 3, -Float.MAX_VALUE, Float.MAX_VALUE};
        for (int round = 0; round < 200; round++) {
            float[] logits = new float[10];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = round % 3 == 0 ? (float) random.nextGaussian() : odd[random.nextInt(odd.length)];
            }
            for (Map.Entry<SamplerKind, UnaryOperator<Sampling>> stage : STAGES.entrySet()) {
                SamplerChain chain = stage.getValue().apply(Sampling.none()).processors(CONTEXT, true);
                assertThat(kept(behind(chain, new int[]{1, 2, 1}, 2, 1), logits))
                        .as("%s of %s", stage.getKey(), Arrays.toString(logits)).isNotEmpty().isSorted();
            }
            List<SamplerKind> order = Arrays.asList(SamplerKind.values());
            Collections.shuffle(order, new java.util.Random(round));
            SamplerChain all = everything().order(order).processors(CONTEXT, true);
            assertThat(kept(behind(all, new int[]{1, 2, 1}, 2, 1), logits)).isNotEmpty().isSorted();
        }
    }

    /** At the size of GPT-2's vocabulary, behind a text of which there is room for more. */
    @Test
    void aStepAllocatesNothing() {
        int vocabulary = 50_257;
        SplittableRandom random = new SplittableRandom(55);
        float[] logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Candidates candidates = new Candidates(vocabulary);
        STAGES.forEach((kind, stage) -> {
            Sampling sampling = stage.apply(Sampling.none());
            // A second choice that stands for every step's.
            Sampler chain = SamplerChain.of(sampling.processors(CONTEXT, true), sampling.mirostat(5, 0.1).draw(1));
            chain.acceptPrompt(random.ints(100, 0, vocabulary).toArray());
            long least = Long.MAX_VALUE;
            // The first rounds load classes and size buffers; the measuring call may itself allocate at first.
            for (int round = 0; round < 12; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                chain.needs(LogitsNeeded.ARG_MAX);
                candidates.load(logits);
                chain.apply(candidates);
                chain.accept(candidates.selectedToken());
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertThat(least).as("%s", kind).isZero();
        });
    }
}
