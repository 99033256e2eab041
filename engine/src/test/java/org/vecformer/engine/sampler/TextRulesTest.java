package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.behind;
import static org.vecformer.engine.sampler.Steps.logitsAfter;
import static org.vecformer.engine.sampler.Steps.randomText;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rules that look at the text so far, on cases worked out by hand and against plain definitions. */
class TextRulesTest {
    private static final float MAX = Float.MAX_VALUE;

    @Test
    void repetitionIsPenalizedOnceForEachToken() {
        RepetitionPenalty penalty = behind(new RepetitionPenalty(2), new int[]{0, 0, 2}, 0, 3);
        assertThat(logitsAfter(penalty, 3, 3, -1, LOWEST, 5)).containsExactly(1.5f, 3, -2, LOWEST, 5);
        assertThat(logitsAfter(behind(new RepetitionPenalty(0.5), new int[]{0, 1}), 3, -1, 1)).containsExactly(6, -0.5f,
                1);
        // The first two do not count.
        assertThat(logitsAfter(behind(new RepetitionPenalty(2, 2), new int[]{0, 1, 2}, 1), 8, 8, 8, 8))
                .containsExactly(8, 4, 4, 8);
        assertThat(logitsAfter(behind(new RepetitionPenalty(2, 9), new int[]{0, 1, 2}, 1), 8, 8)).containsExactly(8, 8);
    }

    @Test
    void manyDistinctTokensAreAllCounted() {
        SplittableRandom random = new SplittableRandom(41);
        int[] text = randomText(random, 3000, 50_000);
        Set<Integer> distinct = new HashSet<>();
        Arrays.stream(text).forEach(distinct::add);
        float[] logits = new float[50_000];
        Arrays.fill(logits, 4);
        RepetitionPenalty penalty = behind(new RepetitionPenalty(2), Arrays.copyOf(text, 1000),
                Arrays.copyOfRange(text, 1000, 3000));
        for (Sampler sampler : List.of(penalty, penalty.copy())) {
            float[] after = logitsAfter(sampler, logits);
            for (int id = 0; id < after.length; id++) {
                assertThat(after[id]).isEqualTo(distinct.contains(id) ? 2f : 4f);
            }
        }
    }

    @Test
    void thePromptIsRewarded() {
        EncoderRepetitionPenalty penalty = behind(new EncoderRepetitionPenalty(2), new int[]{0, 2, 0}, 1);
        assertThat(logitsAfter(penalty, 3, 3, -1, 4)).containsExactly(6, 3, -0.5f, 4);
    }

    @Test
    void biasGoesToWhatWouldCompleteASequence() {
        Map<List<Integer>, Float> biases = new LinkedHashMap<>();
        biases.put(List.of(0, 1, 2), -5f);
        biases.put(List.of(2), 1f);
        biases.put(List.of(1, 2), 2f);
        biases.put(List.of(0, 2), 100f);
        biases.put(List.of(3), LOWEST);
        assertThat(logitsAfter(behind(new SequenceBias(biases), new int[]{0}, 1), 0, 0, 0, 0))
                .containsExactly(0, 0, -2, LOWEST);
        assertThat(logitsAfter(behind(new SequenceBias(biases), new int[]{1}), 0, 0, 0, 0)).containsExactly(0, 0, 3,
                LOWEST);
        assertThat(logitsAfter(new SequenceBias(biases), 0, 0, 0, 0)).containsExactly(0, 0, 1, LOWEST);
    }

    @Test
    void badWordsAreNotCompleted() {
        List<int[]> words = List.of(new int[]{0}, new int[]{4}, new int[]{1, 2}, new int[]{2, 1, 3}, new int[0]);
        assertThat(logitsAfter(behind(new BadWords(words), new int[]{2}, 1), 9, 9, 9, 9, 9)).containsExactly(LOWEST, 9,
                LOWEST, LOWEST, LOWEST);
        // An end token may come, if it is not the end of a longer word.
        assertThat(logitsAfter(behind(new BadWords(words, 0, 3), new int[]{2}, 1), 9, 9, 9, 9, 9)).containsExactly(9, 9,
                LOWEST, LOWEST, LOWEST);
        assertThat(logitsAfter(new BadWords(words), 9, 9, 9, 9, 9)).containsExactly(LOWEST, 9, 9, 9, LOWEST);
        assertThat(logitsAfter(new BadWords(List.of(new int[]{1}), 1), 9, 9)).containsExactly(9, 9);
    }

    @Test
    void nGramsDoNotRepeat() {
        int[] text = {0, 1, 2, 0, 1};
        float[] logits = {9, 9, 9, 9};
        assertThat(logitsAfter(behind(new NoRepeatNgram(3), text), logits)).containsExactly(9, 9, LOWEST, 9);
        assertThat(logitsAfter(behind(new NoRepeatNgram(2), text), logits)).containsExactly(9, 9, LOWEST, 9);
        assertThat(logitsAfter(behind(new NoRepeatNgram(1), text), logits)).containsExactly(LOWEST, LOWEST, LOWEST, 9);
        assertThat(logitsAfter(behind(new NoRepeatNgram(4), text), logits)).containsExactly(9, 9, 9, 9);
        assertThat(logitsAfter(behind(new NoRepeatNgram(9), text), logits)).containsExactly(9, 9, 9, 9);
        assertThat(logitsAfter(behind(new NoRepeatNgram(2), new int[]{1, 1}), logits)).containsExactly(9, LOWEST, 9, 9);
        assertThat(logitsAfter(new NoRepeatNgram(1), logits)).containsExactly(9, 9, 9, 9);
        // Forbidden though nothing is left: that is not for this rule to mend.
        assertThat(logitsAfter(behind(new NoRepeatNgram(1), text), 9, 9)).containsExactly(LOWEST, LOWEST);
    }

    @Test
    void nGramsAgreeWithTheirDefinition() {
        SplittableRandom random = new SplittableRandom(42);
        for (int round = 0; round < 500; round++) {
            int tokens = 2 + random.nextInt(5);
            int n = 1 + random.nextInt(4);
            int[] prompt = randomText(random, random.nextInt(12), tokens);
            int[] continuation = randomText(random, random.nextInt(12), tokens);
            int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(continuation)).toArray();
            float[] logits = new float[tokens];
            assertThat(logitsAfter(behind(new NoRepeatNgram(n), prompt, continuation), logits))
                    .isEqualTo(withoutRepetition(n, all, all, tokens));
            assertThat(logitsAfter(behind(new EncoderNoRepeatNgram(n), prompt, continuation), logits))
                    .isEqualTo(withoutRepetition(n, prompt, all, tokens));
        }
    }

    /** Zeros, and negative infinity for what would complete an n-gram of the source. */
    private static float[] withoutRepetition(int n, int[] source, int[] text, int tokens) {
        float[] logits = new float[tokens];
        for (int next = 0; next < tokens; next++) {
            List<Integer> ngram = new ArrayList<>();
            for (int i = Math.max(text.length - (n - 1), 0); i < text.length; i++) {
                ngram.add(text[i]);
            }
            ngram.add(next);
            List<Integer> whole = Arrays.stream(source).boxed().toList();
            for (int start = 0; start + n <= source.length; start++) {
                if (whole.subList(start, start + n).equals(ngram)) {
                    logits[next] = LOWEST;
                }
            }
        }
        return logits;
    }

    @Test
    void theEndWaits() {
        assertThat(logitsAfter(behind(new MinLength(4, 1, 2), new int[]{0, 0}, 0), 9, 9, 9)).containsExactly(9, LOWEST,
                LOWEST);
        assertThat(logitsAfter(behind(new MinLength(4, 1, 2), new int[]{0, 0}, 0, 0), 9, 9, 9)).containsExactly(9, 9,
                9);
        assertThat(logitsAfter(behind(new MinNewTokens(2, 1), new int[]{0, 0}, 0), 9, 9)).containsExactly(9, LOWEST);
        assertThat(logitsAfter(behind(new MinNewTokens(2, 1), new int[]{0, 0}, 0, 0), 9, 9)).containsExactly(9, 9);
        assertThat(logitsAfter(new MinLength(4, -1, 77), 9, 9)).containsExactly(9, 9);
    }

    @Test
    void tokensAreForced() {
        assertThat(logitsAfter(behind(new ForcedFirstToken(1), new int[]{0}), 9, LOWEST, 9)).containsExactly(LOWEST, 0,
                LOWEST);
        assertThat(logitsAfter(behind(new ForcedFirstToken(1), new int[]{0}, 1), 9, 9, 9)).containsExactly(9, 9, 9);
        assertThat(logitsAfter(behind(new ForcedFirstToken(1), new int[]{0, 0}), 9, 9, 9)).containsExactly(9, 9, 9);
        assertThat(logitsAfter(behind(new ForcedLastToken(4, 1, 2), new int[]{0, 0}, 0), 9, 9, 9)).containsExactly(
                LOWEST,
                0, 0);
        assertThat(logitsAfter(behind(new ForcedLastToken(4, 1), new int[]{0, 0}), 9, 9, 9)).containsExactly(9, 9, 9);
        // Though it was removed before.
        assertThat(logitsAfter(behind(SamplerChain.of(new TopK(1), new ForcedFirstToken(1)), new int[]{0}), 9, 8, 7))
                .containsExactly(LOWEST, 0, LOWEST);
    }

    @Test
    void theEndGetsLikelierBehindTheStart() {
        Sampler decay = new ExponentialDecayLengthPenalty(1, 1.5, 0, 2);
        assertThat(logitsAfter(behind(decay, new int[]{1, 1, 1}, 1), 2, 2, -2, 2)).containsExactly(2, 2, -2, 2);
        decay.accept(1);
        assertThat(logitsAfter(decay, 2, 2, -2, 2)).containsExactly(3, 2, -1, 2);
        decay.accept(1);
        // 1.5^2 - 1 = 1.25.
        assertThat(logitsAfter(decay, 2, 2, -2, 2)).containsExactly(4.5f, 2, 0.5f, 2);
        assertThat(logitsAfter(decay, LOWEST, 2, Float.NaN, 2)).containsExactly(LOWEST, 2, Float.NaN, 2);
        for (int i = 0; i < 2000; i++) {
            decay.accept(1);
        }
        assertThat(logitsAfter(decay, 0, 2, 2, 2)).containsExactly(0, 2, Float.POSITIVE_INFINITY, 2);
    }

    @Test
    void tokensAreSuppressed() {
        assertThat(logitsAfter(new SuppressTokens(0, 2, 99), 9, 9, 9)).containsExactly(LOWEST, 9, LOWEST);
        BeginSuppressTokens begin = behind(new BeginSuppressTokens(1), new int[]{0});
        assertThat(logitsAfter(begin, 9, 9)).containsExactly(9, LOWEST);
        begin.accept(0);
        assertThat(logitsAfter(begin, 9, 9)).containsExactly(9, 9);
        begin = behind(new BeginSuppressTokens(true, 1), new int[]{0});
        assertThat(logitsAfter(begin, 9, 9)).containsExactly(9, 9);
        begin.accept(0);
        assertThat(logitsAfter(begin, 9, 9)).containsExactly(9, LOWEST);
        // Behind a longer prompt no first token is forced.
        assertThat(logitsAfter(behind(new BeginSuppressTokens(true, 1), new int[]{0, 0}), 9, 9)).containsExactly(9,
                LOWEST);
    }

    @Test
    void invalidValuesBecomeNumbers() {
        assertThat(logitsAfter(new RemoveInvalidValues(), Float.NaN, Float.POSITIVE_INFINITY, LOWEST, -2))
                .containsExactly(0, MAX, -MAX, -2);
        // What was removed stays so.
        assertThat(Steps.kept(SamplerChain.of(new TopK(1), new RemoveInvalidValues()), 1, 2)).containsExactly(1);
    }

    @Test
    void logarithmsOfProbabilities() {
        float[] after = logitsAfter(new Renormalize(), 1000, 1000, LOWEST, 1000, 1000);
        assertThat(after).containsExactly(-1.3862944f, -1.3862944f, LOWEST, -1.3862944f, -1.3862944f);
        assertThat(logitsAfter(new Renormalize(), LOWEST, LOWEST)).containsExactly(LOWEST, LOWEST);
        assertThat(logitsAfter(new Renormalize(), Float.POSITIVE_INFINITY, 2)).containsExactly(Float.POSITIVE_INFINITY,
                2);
    }

    @Test
    void tokensOutsideTheVocabularyAreNamed() {
        for (Sampler sampler : List.of(new SequenceBias(Map.of(List.of(1, 7), 1f)),
                new BadWords(List.of(new int[]{7, 1})),
                new ForcedFirstToken(7), new ForcedLastToken(9, 1, 7))) {
            assertThatIllegalArgumentException().isThrownBy(() -> logitsAfter(sampler, 1, 2, 3))
                    .withMessageContaining("token 7").withMessageContaining("only 3 tokens");
        }
    }

    @Test
    void badParametersAreRefused() {
        for (double bad : new double[]{0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            for (Runnable made : List.<Runnable>of(() -> new RepetitionPenalty(bad),
                    () -> new EncoderRepetitionPenalty(bad), () -> new ExponentialDecayLengthPenalty(1, bad, 0))) {
                assertThatIllegalArgumentException().isThrownBy(made::run).withMessageContaining("" + bad);
            }
        }
        for (int bad : new int[]{0, -2}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new NoRepeatNgram(bad))
                    .withMessageContaining("" + bad);
            assertThatIllegalArgumentException().isThrownBy(() -> new EncoderNoRepeatNgram(bad))
                    .withMessageContaining("" + bad);
        }
        for (Runnable made : List.<Runnable>of(() -> new RepetitionPenalty(2, -3), () -> new MinLength(-3),
                () -> new MinNewTokens(-3), () -> new ForcedFirstToken(-3), () -> new ForcedLastToken(1, 1, -3),
                () -> new SuppressTokens(1, -3), () -> new BeginSuppressTokens(-3),
                () -> new BadWords(List.of(new int[]{1, -3})), () -> new SequenceBias(Map.of(List.of(-3), 1f)),
                () -> new ExponentialDecayLengthPenalty(-3, 2, 1), () -> new ExponentialDecayLengthPenalty(1, 2, -3))) {
            assertThatIllegalArgumentException().isThrownBy(made::run).withMessageContaining("-3");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new SequenceBias(Map.of()))
                .withMessageContaining("empty");
        assertThatIllegalArgumentException().isThrownBy(() -> new SequenceBias(Map.of(List.of(), 1f)))
                .withMessageContaining("empty sequence");
        assertThatIllegalArgumentException().isThrownBy(() -> new SequenceBias(Map.of(List.of(5), Float.NaN)))
                .withMessageContaining("[5] is NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> new BadWords(List.of())).withMessageContaining("empty");
        assertThatIllegalArgumentException().isThrownBy(() -> new ForcedLastToken(5))
                .withMessageContaining("no forced");
        assertThatIllegalArgumentException().isThrownBy(() -> new ExponentialDecayLengthPenalty(1, 2))
                .withMessageContaining("no end token");
    }
}
