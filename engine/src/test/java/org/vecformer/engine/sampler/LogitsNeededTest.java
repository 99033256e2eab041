package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.behind;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who chooses by a few logits chooses as by all. */
class LogitsNeededTest {
    private static final SamplingContext CONTEXT = new SamplingContext(100, new int[]{0}, 1, 17);

    private static LogitsNeeded needs(Sampling sampling) {
        return SamplerChain.of(sampling.processors(CONTEXT, true), sampling.draw(1)).needs(LogitsNeeded.ALL);
    }

    private static LogitsNeeded largest(int k, float temperature) {
        return new LogitsNeeded.Largest(k, temperature);
    }

    @Test
    void aChainNeedsWhatItsFirstTruncationNeeds() {
        Sampling none = Sampling.none();
        assertThat(needs(none)).isEqualTo(LogitsNeeded.ALL);
        assertThat(needs(none.temperature(0.7))).isEqualTo(LogitsNeeded.ALL);
        assertThat(needs(none.topK(40))).isEqualTo(largest(40, 1));
        assertThat(needs(none.topK(40).topP(0.9).minP(0.1).typicalP(0.9).xtc(0.5, 0.1).renormalize()))
                .isEqualTo(largest(40, 1));
        assertThat(needs(none.temperature(0.7).topK(40).topP(0.9))).isEqualTo(largest(40, 0.7f));
        assertThat(needs(none.topK(40).mirostat(3, 0.1))).isEqualTo(largest(40, 1));
        for (Sampling sampling : List.of(none.repetitionPenalty(1.2), none.logitBias(Map.of(3, 1f)),
                none.noRepeatNgramSize(2), none.dry(1), none.badWords(List.of(new int[]{4})), none.suppressTokens(3),
                none.removeInvalidValues(), none.topNSigma(1), none.topH(0.5), none.constraint(new SuppressTokens(1)),
                none.presenceFrequencyPenalty(1, 1, 0))) {
            assertThat(needs(sampling.topK(40))).as("%s", sampling).isEqualTo(LogitsNeeded.ALL);
        }
        Sampling turned = none.topK(40).topP(0.9).temperature(2).repetitionPenalty(2)
                .order(List.of(SamplerKind.TOP_K, SamplerKind.REPETITION_PENALTY, SamplerKind.TOP_P,
                        SamplerKind.TEMPERATURE));
        assertThat(needs(turned)).isEqualTo(largest(40, 1));
        assertThat(needs(turned.order(List.of(SamplerKind.TOP_P, SamplerKind.TOP_K, SamplerKind.TEMPERATURE,
                SamplerKind.REPETITION_PENALTY)))).isEqualTo(LogitsNeeded.ALL);
        assertThat(SamplerChain.of(new Temperature(2), new Temperature(2), new TopK(3)).needs(LogitsNeeded.ALL))
                .isEqualTo(LogitsNeeded.ALL);
        assertThat(new Greedy().needs(LogitsNeeded.ALL)).isEqualTo(LogitsNeeded.ARG_MAX);
        assertThat(SamplerChain.of(new Temperature(3), new Greedy()).needs(LogitsNeeded.ALL))
                .isEqualTo(largest(1, 3));
        assertThat(new TopK(2, 5).needs(LogitsNeeded.ALL)).isEqualTo(largest(5, 1));
    }

    @Test
    void whatDependsOnTheLengthNeedsAllWhileItIsAtWork() {
        Sampling sampling = Sampling.none().minNewTokens(2).minLength(5).beginSuppressTokens(7).forcedFirstToken(3)
                .forcedLastToken(0).exponentialDecayLengthPenalty(5, 1.5);
        SamplerChain chain = SamplerChain.of(sampling.processors(new SamplingContext(10, new int[]{0}, 1, 1), false),
                new Greedy());
        LogitsNeeded[] needed = new LogitsNeeded[11];
        chain.acceptPrompt(new int[]{1});
        for (int length = 1; length < needed.length; length++) {
            needed[length] = chain.needs(LogitsNeeded.ALL);
            chain.accept(2);
        }
        // At 1 the first token is forced, until 4 the end forbidden; from 7 on the end gets likelier.
        for (int length = 1; length < needed.length; length++) {
            assertThat(needed[length]).as("behind %d tokens", length)
                    .isEqualTo(length < 5 || length > 6 ? LogitsNeeded.ALL : LogitsNeeded.ARG_MAX);
        }
        for (Sampling one : List.of(Sampling.none().minNewTokens(2), Sampling.none().minLength(3),
                Sampling.none().beginSuppressTokens(7), Sampling.none().forcedFirstToken(3),
                Sampling.none().forcedLastToken(3))) {
            SamplingContext context = new SamplingContext(2, new int[]{0}, 1, 1);
            SamplerChain single = SamplerChain.of(one.processors(context, false), new Greedy());
            assertThat(behind(single, new int[]{1}).needs(LogitsNeeded.ALL)).as("%s", one)
                    .isEqualTo(LogitsNeeded.ALL);
            assertThat(behind(single, new int[0], 1, 1, 1).needs(LogitsNeeded.ALL)).as("%s", one)
                    .isEqualTo(LogitsNeeded.ARG_MAX);
        }
    }

    /** Divided by 1.5, the neighbour of the largest number becomes equal to it. */
    @Test
    void theTemperatureMakesTies() {
        float large = 1.75f;
        float less = large;
        while (less / 1.5f == large / 1.5f) {
            less = Math.nextDown(less);
        }
        float tie = Math.nextUp(less);
        assertThat(tie).isLessThan(large);
        assertThat(new LogitsNeeded.Largest(1, 1).areIn(new float[]{large, tie}, 2)).isTrue();
        assertThat(new LogitsNeeded.Largest(1, 1.5f).areIn(new float[]{large, tie}, 2)).isFalse();
        assertThat(new LogitsNeeded.Largest(1, 1.5f).areIn(new float[]{large, tie, less}, 3)).isTrue();
        assertThat(new LogitsNeeded.Largest(2, 1).areIn(new float[]{3, 2}, 2)).isFalse();
        assertThat(new LogitsNeeded.Largest(1, 1).areIn(new float[]{Float.NaN, Float.NaN}, 2)).isFalse();
        assertThat(new LogitsNeeded.Largest(1, 1).areIn(new float[]{0f, -0f}, 2)).isFalse();
        assertThat(new LogitsNeeded.Largest(1, 1).areIn(new float[]{LOWEST, LOWEST}, 2)).isFalse();
    }

    @Test
    void aFewCandidatesAreAsIfTheOthersHadBeenRemoved() {
        Candidates few = new Candidates(10);
        few.load(new int[]{7, 2, 9}, new float[]{3, 2, 1}, 2);
        assertThat(few.size()).isEqualTo(2);
        assertThat(few.isDense()).isFalse();
        assertThat(Arrays.copyOf(few.ids(), 2)).containsExactly(2, 7);
        assertThat(Arrays.copyOf(few.logits(), 2)).containsExactly(2, 3);
        assertThat(few.indexOf(7)).isEqualTo(1);
        assertThat(few.indexOf(9)).isEqualTo(-1);
        few.select(0);
        few.load(new int[]{4}, new float[]{1}, 1);
        assertThat(few.selected()).isEqualTo(-1);
        assertThat(few.indexOf(4)).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> few.load(new int[1], new float[1], 0));
        few.load(new float[10]);
        assertThat(few.isDense()).isTrue();
    }

    /** A logit on few or many different values, some impossible, some rows with NaN, or with nothing that can come. */
    private static float[] logits(SplittableRandom random, int size) {
        float[] logits = new float[size];
        int kind = random.nextInt(6);
        for (int i = 0; i < size; i++) {
            float value = (float) random.nextGaussian() * 4;
            logits[i] = switch (kind) {
                case 0 -> value;
                case 1 -> Math.round(value) * (random.nextBoolean() ? 1f : -1f) / 2;
                case 2 -> random.nextInt(3) == 0 ? LOWEST : value;
                case 3 -> random.nextInt(3) == 0 ? Float.NaN : value;
                // Neighbouring numbers, which a division makes equal.
                case 4 -> 1.5f + random.nextInt(60) * Math.ulp(1.5f);
                default -> random.nextInt(40) == 0 ? value : LOWEST;
            };
        }
        return logits;
    }

    private static Sampling randomSampling(SplittableRandom random, int vocabularySize) {
        Sampling sampling = Sampling.none().topK(1 + random.nextInt(random.nextBoolean() ? 8 : vocabularySize));
        sampling = random.nextBoolean() ? sampling.temperature(0.3 + 3 * random.nextDouble()) : sampling;
        sampling = random.nextBoolean() ? sampling.topP(random.nextDouble()) : sampling;
        sampling = random.nextInt(3) == 0 ? sampling.minP(random.nextDouble() / 5) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.typicalP(0.1 + 0.8 * random.nextDouble()) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.xtc(0.5, 0.1) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.etaCutoff(0.01) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.epsilonCutoff(0.01) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.renormalize() : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.minNewTokens(3) : sampling;
        sampling = random.nextInt(4) == 0 ? sampling.mirostat(3, 0.2) : sampling;
        if (random.nextInt(4) == 0) {
            sampling = sampling.repetitionPenalty(1.5).order(List.of(SamplerKind.MIN_NEW_TOKENS,
                    SamplerKind.TEMPERATURE, SamplerKind.TOP_K, SamplerKind.REPETITION_PENALTY, SamplerKind.MIN_P,
                    SamplerKind.TOP_P, SamplerKind.XTC, SamplerKind.TYPICAL_P, SamplerKind.ETA_CUTOFF,
                    SamplerKind.EPSILON_CUTOFF, SamplerKind.RENORMALIZE));
        }
        return sampling;
    }

    @Test
    void aFewLogitsGiveTheTokensOfAll() {
        SplittableRandom random = new SplittableRandom(61);
        int few = 0;
        int notEnough = 0;
        for (int round = 0; round < 3000; round++) {
            int size = 2 + random.nextInt(round % 2 == 0 ? 30 : 300);
            Sampling sampling = randomSampling(random, size);
            boolean drawing = random.nextInt(5) > 0;
            Sampler whole = SamplerChain.of(sampling.processors(CONTEXT, drawing),
                    drawing ? sampling.draw(round) : new Greedy());
            Sampler narrow = whole.copy();
            Candidates all = new Candidates(size);
            Candidates some = new Candidates(size);
            for (int step = 0; step < 6; step++) {
                float[] logits = logits(random, size);
                LogitsNeeded needed = narrow.needs(LogitsNeeded.ALL);
                if (load(some, logits, needed, random.nextInt(9))) {
                    few++;
                } else {
                    notEnough++;
                    some.load(logits);
                }
                all.load(logits);
                if (!choose(whole, all)) {
                    // The narrow one has to fail as well, and has drawn its random number then.
                    assertThat(choose(narrow, some)).isFalse();
                    continue;
                }
                assertThat(choose(narrow, some)).isTrue();
                String what = sampling + " step " + step + " of " + Arrays.toString(logits);
                int token = all.selectedToken();
                assertThat(some.selectedToken()).as(what).isEqualTo(token);
                if (needed instanceof LogitsNeeded.Largest && drawing) {
                    assertSame(all, some, what);
                }
                whole.accept(token);
                narrow.accept(token);
            }
        }
        assertThat(few).as("steps that few logits were enough for").isGreaterThan(6000);
        assertThat(notEnough).isGreaterThan(3000);
    }

    /** False if nothing can be drawn. */
    private static boolean choose(Sampler sampler, Candidates candidates) {
        try {
            sampler.apply(candidates);
            return true;
        } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("none can be drawn");
            return false;
        }
    }

    /** Loads what is needed, if it can be had with this many more than the k largest. */
    private static boolean load(Candidates candidates, float[] logits, LogitsNeeded needed, int spare) {
        List<Integer> sorted = IntStream.range(0, logits.length).boxed()
                .sorted(Comparator.<Integer, Boolean>comparing(id -> Float.isNaN(logits[id]))
                        .thenComparing(id -> -(logits[id] + 0f)))
                .toList();
        int count = switch (needed) {
            case LogitsNeeded.All _ -> 0;
            case LogitsNeeded.ArgMax _ -> 1;
            case LogitsNeeded.Largest largest -> largest.k() + spare;
        };
        if (count == 0 || count > logits.length) {
            return false;
        }
        int[] ids = sorted.stream().limit(count).mapToInt(id -> id).toArray();
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = logits[ids[i]];
        }
        if (needed instanceof LogitsNeeded.Largest largest && !largest.areIn(values, count)) {
            return false;
        }
        if (needed.equals(LogitsNeeded.ARG_MAX)) {
            ids[0] = values[0] > LOWEST ? ids[0] : 0;
            values[0] = 0;
        }
        candidates.load(ids, values, count);
        return true;
    }

    /** The same candidates, bit for bit. */
    private static void assertSame(Candidates expected, Candidates actual, String what) {
        int size = expected.size();
        assertThat(actual.size()).as(what).isEqualTo(size);
        assertThat(Arrays.copyOf(actual.ids(), size)).as(what).isEqualTo(Arrays.copyOf(expected.ids(), size));
        assertThat(Arrays.copyOf(actual.logits(), size)).as(what).isEqualTo(Arrays.copyOf(expected.logits(), size));
        assertThat(Arrays.copyOf(actual.probabilities(), size)).as(what)
                .isEqualTo(Arrays.copyOf(expected.probabilities(), size));
    }
}
