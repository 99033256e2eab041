package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.behind;
import static org.vecformer.engine.sampler.Steps.kept;
import static org.vecformer.engine.sampler.Steps.logitsAfter;
import static org.vecformer.engine.sampler.Steps.logs;
import static org.vecformer.engine.sampler.Steps.randomLogits;
import static org.vecformer.engine.sampler.Steps.randomText;
import static org.vecformer.engine.sampler.Steps.softmax;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The samplers that Hugging Face does not have, against their formulas computed slowly, and by hand. */
class SamplerFormulasTest {
    @Test
    void presenceOnceAndFrequencyForEach() {
        // The continuation has 1 twice and 3 once; the prompt does not count.
        PresenceFrequencyPenalty penalty = behind(new PresenceFrequencyPenalty(0.5, 0.25, 0), new int[]{0, 0, 2}, 1, 3,
                1);
        assertThat(logitsAfter(penalty, 2, 2, 2, 2)).containsExactly(2, 1, 2, 1.25f);
        // The last four of prompt and continuation: 2, 1, 3, 1.
        penalty = behind(new PresenceFrequencyPenalty(0.5, 0.25, 4), new int[]{0, 0, 2}, 1, 3, 1);
        assertThat(logitsAfter(penalty, 2, 2, 2, 2)).containsExactly(2, 1, 1.25f, 1.25f);
        penalty = behind(new PresenceFrequencyPenalty(0.5, 0.25, 1), new int[]{0, 0, 2}, 1, 3, 1);
        assertThat(logitsAfter(penalty, 2, 2, 2, 2)).containsExactly(2, 1.25f, 2, 2);
        penalty = behind(new PresenceFrequencyPenalty(-1, -2, 0), new int[0], 1);
        assertThat(logitsAfter(penalty, 2, 2)).containsExactly(2, 5);
    }

    @Test
    void presenceAndFrequencyAgreeWithTheirFormula() {
        SplittableRandom random = new SplittableRandom(31);
        for (int round = 0; round < 200; round++) {
            int tokens = 1 + random.nextInt(300);
            int[] prompt = randomText(random, random.nextInt(100), tokens);
            int[] continuation = randomText(random, random.nextInt(300), tokens);
            int window = random.nextInt(3) * random.nextInt(150);
            float presence = (float) random.nextDouble(-2, 2);
            float frequency = (float) random.nextDouble(-2, 2);
            int[] counted = continuation;
            if (window > 0) {
                int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(continuation)).toArray();
                counted = Arrays.copyOfRange(all, Math.max(all.length - window, 0), all.length);
            }
            int[] counts = new int[tokens];
            Arrays.stream(counted).forEach(token -> counts[token]++);
            float[] logits = new float[tokens];
            float[] expected = new float[tokens];
            for (int id = 0; id < tokens; id++) {
                logits[id] = (float) random.nextGaussian();
                expected[id] = logits[id] - counts[id] * frequency - (counts[id] > 0 ? presence : 0);
            }
            Sampler penalty = behind(new PresenceFrequencyPenalty(presence, frequency, window), prompt, continuation);
            assertThat(logitsAfter(penalty, logits)).isEqualTo(expected);
        }
    }

    @Test
    void dryPenalizesWhatWouldGoOnWithARepetition() {
        // "a b c c b c y a b c": before c stood "a b c", before b "c", before y "b c".
        int[] text = {0, 1, 2, 2, 1, 2, 3, 0, 1, 2};
        float[] logits = new float[5];
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 0, List.of()), text), logits)).containsExactly(0, -1, -4, -2, 0);
        assertThat(logitsAfter(behind(new Dry(0.5, 3, 2, 0, List.of()), text), logits)).containsExactly(0, 0, -1.5f,
                -0.5f,
                0);
        // The last seven are "c b c y a b c", the last five "c y a b c".
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 7, List.of()), text), logits)).containsExactly(0, -1, 0, -2, 0);
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 5, List.of()), text), logits)).containsExactly(0, 0, 0, -1, 0);
        assertThat(logitsAfter(behind(new Dry(1, 2, 4, 0, List.of()), text), logits)).containsExactly(0, 0, 0, 0, 0);
    }

    @Test
    void dryDoesNotReachAcrossABreaker() {
        int[] text = {0, 1, 2, 2, 1, 2, 3, 0, 1, 2};
        float[] logits = new float[5];
        // Behind the last 1 there is one token only; and 1 itself is free.
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 0, List.of(new int[]{1})), text), logits))
                .containsExactly(0, 0, -1, -1, 0);
        assertThat(logitsAfter(behind(new Dry(1, 2, 2, 0, List.of(new int[]{1})), text), logits))
                .containsExactly(0, 0, 0, 0, 0);
        // A breaker of two tokens may end with a penalized one.
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 0, List.of(new int[]{0, 1})), text), logits))
                .containsExactly(0, -1, -1, -1, 0);
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 0, List.of(new int[]{3}, new int[]{1, 2})), text), logits))
                .containsExactly(0, 0, 0, 0, 0);
        assertThat(logitsAfter(behind(new Dry(1, 2, 1, 0, List.of(new int[]{3, 3})), text), logits))
                .containsExactly(0, -1, -4, -2, 0);
    }

    @Test
    void dryAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(32);
        for (int round = 0; round < 500; round++) {
            int tokens = 2 + random.nextInt(5);
            int[] prompt = randomText(random, random.nextInt(30), tokens);
            int[] continuation = randomText(random, random.nextInt(60), tokens);
            int window = random.nextInt(2) * random.nextInt(60);
            int allowed = 1 + random.nextInt(4);
            double multiplier = random.nextDouble(0.1, 2);
            double base = random.nextDouble(1, 2);
            List<int[]> breakers = new ArrayList<>();
            for (int i = random.nextInt(3); i > 0; i--) {
                breakers.add(randomText(random, 1 + random.nextInt(3), tokens));
            }
            int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(continuation)).toArray();
            int[] text = window == 0 ? all : Arrays.copyOfRange(all, Math.max(all.length - window, 0), all.length);
            Map<Integer, Integer> longest = longestRepetitions(text, breakers, allowed);
            float[] logits = new float[tokens];
            Sampler dry = behind(new Dry(multiplier, base, allowed, window, breakers), prompt, continuation);
            float[] actual = logitsAfter(dry, logits);
            for (int id = 0; id < tokens; id++) {
                double penalty = longest.containsKey(id)
                        ? multiplier * Math.pow(base, longest.get(id) - allowed)
                        : 0;
                assertThat((double) actual[id]).isCloseTo(-penalty, within(1e-6 * penalty));
            }
        }
    }

    /** By token: how much of the end of the text stands before an occurrence of it. */
    private static Map<Integer, Integer> longestRepetitions(int[] text, List<int[]> breakers, int allowed) {
        int reach = text.length;
        for (int end = text.length; end > 0; end--) {
            for (int[] breaker : breakers) {
                int start = end - breaker.length;
                if (start >= 0 && Arrays.equals(text, start, end, breaker, 0, breaker.length)) {
                    reach = Math.min(reach, text.length - end);
                }
            }
        }
        Map<Integer, Integer> longest = new HashMap<>();
        for (int position = 1; position < text.length; position++) {
            int token = text[position];
            for (int length = 1; length <= Math.min(position, reach); length++) {
                boolean same = Arrays.equals(text, position - length, position, text, text.length - length,
                        text.length);
                boolean free = breakers.stream().anyMatch(breaker -> Arrays.equals(breaker, new int[]{token}));
                if (same && length >= allowed && !free) {
                    longest.merge(token, length, Math::max);
                }
            }
        }
        return longest;
    }

    @Test
    void aHugeDryPenaltyIsFinite() {
        int[] text = new int[600];
        float[] after = logitsAfter(behind(new Dry(5, 4, 1, 0, List.of()), text), 0, 0);
        assertThat(after).containsExactly(-Float.MAX_VALUE, 0);
    }

    @Test
    void xtcTakesAllTopChoicesButTheLast() {
        float[] logits = logs(0.1, 0.4, 0.05, 0.3, 0.15);
        assertThat(kept(new Xtc(1, 0.09, 1, 5), logits)).containsExactly(0, 2);
        assertThat(kept(new Xtc(1, 0.12, 1, 5), logits)).containsExactly(0, 2, 4);
        assertThat(kept(new Xtc(1, 0.25, 1, 5), logits)).containsExactly(0, 2, 3, 4);
        assertThat(kept(new Xtc(1, 0.35, 1, 5), logits)).containsExactly(0, 1, 2, 3, 4);
        assertThat(kept(new Xtc(1, 0.5, 1, 5), logits)).containsExactly(0, 1, 2, 3, 4);
        assertThat(kept(new Xtc(1, 0, 1, 5), logits)).containsExactly(2);
        assertThat(kept(new Xtc(1, 0, 1, 5), 1, LOWEST, 0, LOWEST)).containsExactly(1, 2, 3);
        assertThat(kept(new Xtc(0, 0.1, 1, 5), logits)).containsExactly(0, 1, 2, 3, 4);
        // Two would stay, and three have to.
        assertThat(kept(new Xtc(1, 0.09, 3, 5), logits)).containsExactly(0, 1, 2, 3, 4);
        assertThat(kept(new Xtc(1, 0.09, 2, 5), logits)).containsExactly(0, 2);
        assertThat(kept(new Xtc(1, 0.2, 1, 5), 0, 3, 3, 3)).containsExactly(0, 3);
    }

    @Test
    void xtcAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(33);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double[] p = softmax(logits);
            double threshold = Math.pow(random.nextDouble(), 2) / 2;
            if (Arrays.stream(p).anyMatch(x -> Math.abs(x - threshold) < 1e-6)) {
                continue;
            }
            int[] descending = IntStream.range(0, p.length).boxed()
                    .sorted(Comparator.comparing((Integer i) -> -logits[i])).mapToInt(i -> i).toArray();
            int reaching = (int) Arrays.stream(p).filter(x -> x >= threshold).count();
            int[] expected = Arrays.stream(descending).skip(Math.max(reaching - 1, 0)).sorted().toArray();
            assertThat(kept(new Xtc(1, threshold, 1, round), logits)).isEqualTo(expected);
        }
    }

    @Test
    void xtcHappensAsOftenAsItsProbabilityAndNotWithTheDraw() {
        Xtc xtc = new Xtc(0.3, 0.1, 1, 8);
        SplittableRandom drawing = new SplittableRandom(8);
        int excluded = 0;
        int together = 0;
        int rounds = 20_000;
        for (int i = 0; i < rounds; i++) {
            boolean now = kept(xtc, 1, 1).length == 1;
            boolean low = drawing.nextDouble() < 0.3;
            excluded += now ? 1 : 0;
            together += now && low ? 1 : 0;
        }
        // Four standard deviations.
        assertThat(excluded / (double) rounds).isCloseTo(0.3, within(4 * Math.sqrt(0.21 / rounds)));
        assertThat(together / (double) rounds).isCloseTo(0.09, within(4 * Math.sqrt(0.09 * 0.91 / rounds)));
    }

    @Test
    void mirostatKeepsTheSurprisesBelowItsBound() {
        // The bound is 2 bits at first: of the surprises 1, 2, 3, 3 bits two are within.
        Mirostat mirostat = new Mirostat(1, 0.5, 3);
        Candidates candidates = Steps.applied(mirostat, logs(0.125, 0.5, 0.25001, 0.125));
        assertThat(Arrays.copyOf(candidates.ids(), candidates.size())).containsExactly(1, 2);
        int token = candidates.selectedToken();
        // Among these the surprises are log2(3 / 2) and log2(3), and the bound moves by half of what they are off 1.
        double surprise = Math.log(token == 1 ? 1.5 : 3) / Math.log(2);
        mirostat.accept(token);
        double bound = 2 - 0.5 * (surprise - 1);
        assertThat(kept(mirostat, logs(share(bound - 0.01), 1 - share(bound - 0.01)))).hasSize(2);
        assertThat(kept(mirostat, logs(share(bound + 0.01), 1 - share(bound + 0.01)))).containsExactly(1);
    }

    private static double share(double bits) {
        return Math.pow(2, -bits);
    }

    @Test
    void mirostatAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(34);
        for (int round = 0; round < 20; round++) {
            double tau = random.nextDouble(0.5, 6);
            double eta = random.nextDouble(0.01, 0.5);
            Mirostat mirostat = new Mirostat(tau, eta, round);
            SplittableRandom drawing = new SplittableRandom(round);
            double bound = 2 * tau;
            for (int step = 0; step < 50; step++) {
                float[] logits = randomLogits(random);
                double[] p = softmax(logits);
                double limit = bound;
                int[] within = IntStream.range(0, p.length).filter(i -> -Math.log(p[i]) / Math.log(2) <= limit)
                        .toArray();
                if (within.length == 0) {
                    double most = Arrays.stream(p).max().orElseThrow();
                    within = IntStream.range(0, p.length).filter(i -> p[i] == most).toArray();
                }
                double total = Arrays.stream(within).mapToDouble(i -> p[i]).sum();
                double target = drawing.nextDouble() * total;
                int expected = 0;
                for (double sum = p[within[0]]; sum <= target
                        && expected < within.length - 1; sum += p[within[expected]]) {
                    expected++;
                }
                Candidates candidates = Steps.applied(mirostat, logits);
                assertThat(Arrays.copyOf(candidates.ids(), candidates.size())).isEqualTo(within);
                assertThat(candidates.selectedToken()).isEqualTo(within[expected]);
                if (random.nextInt(4) == 0) {
                    // Another token came, of which mirostat knows nothing.
                    mirostat.accept(Integer.MAX_VALUE);
                } else {
                    mirostat.accept(candidates.selectedToken());
                    bound -= eta * (-Math.log(p[within[expected]] / total) / Math.log(2) - tau);
                }
            }
        }
    }

    @Test
    void mirostatComesToItsSurprise() {
        float[] logits = new float[1000];
        for (int i = 0; i < logits.length; i++) {
            // Zipf's law.
            logits[i] = (float) -Math.log(i + 1);
        }
        Mirostat mirostat = new Mirostat(4, 0.1, 12);
        double sum = 0;
        for (int step = 0; step < 3000; step++) {
            Candidates candidates = Steps.applied(mirostat, logits);
            double p = candidates.probabilities()[candidates.selected()];
            mirostat.accept(candidates.selectedToken());
            sum += step >= 1000 ? -Math.log(p) / Math.log(2) : 0;
        }
        assertThat(sum / 2000).isCloseTo(4, within(0.05));
    }

    @Test
    void mirostatDrawsNothingFromNothing() {
        assertThatIllegalStateException().isThrownBy(() -> kept(new Mirostat(1, 1, 1), LOWEST, LOWEST))
                .withMessageContaining("None of the 2 candidates");
    }

    @Test
    void badParametersAreRefused() {
        for (double bad : new double[]{0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            for (Runnable made : List.<Runnable>of(() -> new Mirostat(bad, 0.1, 1), () -> new Mirostat(5, bad, 1),
                    () -> new Dry(bad, 1.75, 2, 0, List.of()))) {
                assertThatIllegalArgumentException().isThrownBy(made::run).withMessageContaining("" + bad);
            }
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Dry(1, 0.9, 2, 0, List.of()))
                .withMessageContaining("0.9");
        assertThatIllegalArgumentException().isThrownBy(() -> new Dry(1, 2, 0, 0, List.of()))
                .withMessageContaining("allowed length is 0");
        assertThatIllegalArgumentException().isThrownBy(() -> new Dry(1, 2, 1, -1, List.of()))
                .withMessageContaining("window is -1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Dry(1, 2, 1, 0, List.of(new int[0])))
                .withMessageContaining("empty");
        assertThatIllegalArgumentException().isThrownBy(() -> new Dry(1, 2, 1, 0, List.of(new int[]{-4})))
                .withMessageContaining("-4");
        assertThatIllegalArgumentException().isThrownBy(() -> new Xtc(1.5, 0.1, 1, 1)).withMessageContaining("1.5");
        assertThatIllegalArgumentException().isThrownBy(() -> new Xtc(0.5, 0.6, 1, 1)).withMessageContaining("0.6");
        assertThatIllegalArgumentException().isThrownBy(() -> new Xtc(0.5, 0.1, 0, 1)).withMessageContaining("0");
        assertThatIllegalArgumentException().isThrownBy(() -> new PresenceFrequencyPenalty(Double.NaN, 0, 0))
                .withMessageContaining("presence");
        assertThatIllegalArgumentException().isThrownBy(() -> new PresenceFrequencyPenalty(0, Double.NaN, 0))
                .withMessageContaining("frequency");
        assertThatIllegalArgumentException().isThrownBy(() -> new PresenceFrequencyPenalty(1, 1, -3))
                .withMessageContaining("-3");
    }
}
