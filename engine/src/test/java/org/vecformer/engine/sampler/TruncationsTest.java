package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.kept;
import static org.vecformer.engine.sampler.Steps.logs;
import static org.vecformer.engine.sampler.Steps.randomLogits;
import static org.vecformer.engine.sampler.Steps.softmax;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who stays: by hand, by the definitions computed plainly, and at the edges of what logits can be. */
class TruncationsTest {
    /** A decision so close to its threshold that rounding makes it. */
    private static final double FRAGILE = 1e-5;

    @Test
    void minPIsAShareOfTheLargestProbability() {
        float[] logits = logs(0.5, 0.26, 0.2, 0.04);
        assertThat(kept(new MinP(0), logits)).containsExactly(0, 1, 2, 3);
        assertThat(kept(new MinP(0.07), logits)).containsExactly(0, 1, 2, 3);
        assertThat(kept(new MinP(0.09), logits)).containsExactly(0, 1, 2);
        assertThat(kept(new MinP(0.51), logits)).containsExactly(0, 1);
        assertThat(kept(new MinP(1), logits)).containsExactly(0);
        assertThat(kept(new MinP(1, 3), logits)).containsExactly(0, 1, 2);
        assertThat(kept(new MinP(1), 2, 3, 3, 1)).containsExactly(1, 2);
    }

    @Test
    void minPAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(21);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double[] p = softmax(logits);
            double minP = Math.pow(random.nextDouble(), 3);
            int keep = 1 + random.nextInt(4);
            double least = minP * Arrays.stream(p).max().orElseThrow();
            check(new MinP(minP, keep), logits, p, least, keep);
        }
    }

    @Test
    void epsilonIsAProbability() {
        float[] logits = logs(0.5, 0.3, 0.15, 0.05);
        assertThat(kept(new EpsilonCutoff(0.04), logits)).containsExactly(0, 1, 2, 3);
        assertThat(kept(new EpsilonCutoff(0.06), logits)).containsExactly(0, 1, 2);
        assertThat(kept(new EpsilonCutoff(0.4), logits)).containsExactly(0);
        assertThat(kept(new EpsilonCutoff(0.9), logits)).containsExactly(0);
        assertThat(kept(new EpsilonCutoff(0.9, 2), logits)).containsExactly(0, 1);
        assertThat(kept(new EpsilonCutoff(0.9), 1, 1, 0)).containsExactly(0, 1);
    }

    @Test
    void epsilonAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(22);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double epsilon = Math.pow(random.nextDouble(1e-3, 1), 3);
            int keep = 1 + random.nextInt(4);
            check(new EpsilonCutoff(epsilon, keep), logits, softmax(logits), epsilon, keep);
        }
    }

    @Test
    void etaFallsWithTheEntropy() {
        // Entropy ln 4: eta = min(0.09, 0.3 / 4) = 0.075, below which nobody is.
        assertThat(kept(new EtaCutoff(0.09), 0, 0, 0, 0)).containsExactly(0, 1, 2, 3);
        // Entropy 0.0980 of (0.98, 0.02): eta = min(0.09, 0.3 * 0.907) = 0.09.
        assertThat(kept(new EtaCutoff(0.09), logs(0.98, 0.02))).containsExactly(0);
        // Entropy 2.0610 of 0.3 and 14 times 0.05: eta = min(0.25, 0.5 * 0.0843) = 0.0422 (by epsilon all but one went).
        double[] p = new double[15];
        Arrays.fill(p, 0.05);
        p[3] = 0.3;
        assertThat(kept(new EtaCutoff(0.25), logs(p))).hasSize(15);
        assertThat(kept(new EpsilonCutoff(0.25), logs(p))).containsExactly(3);
    }

    @Test
    void etaAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(23);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double[] p = softmax(logits);
            double epsilon = Math.pow(random.nextDouble(1e-3, 1), 3);
            int keep = 1 + random.nextInt(4);
            double eta = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(p)));
            check(new EtaCutoff(epsilon, keep), logits, p, eta, keep);
        }
    }

    @Test
    void theMostTypicalNeedNotBeTheMostLikely() {
        // Entropy 1.0889; the surprises 0.4463, 1.3471, 2.8134 and 2.8134 are 0.643, 0.258, 1.725, 1.725 away from it.
        float[] logits = logs(0.64, 0.26, 0.06, 0.04);
        assertThat(kept(new TypicalP(0.2), logits)).containsExactly(1);
        assertThat(kept(new TypicalP(0.3), logits)).containsExactly(0, 1);
        assertThat(kept(new TypicalP(0.92), logits)).containsExactly(0, 1, 2);
        assertThat(kept(new TypicalP(0.99), logits)).containsExactly(0, 1, 2, 3);
        assertThat(kept(new TypicalP(0.2, 3), logits)).containsExactly(0, 1, 2);
    }

    @Test
    void typicalPAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(24);
        int checked = 0;
        for (int round = 0; round < 400; round++) {
            float[] logits = randomLogits(random);
            double[] p = softmax(logits);
            double mass = random.nextDouble(0.01, 0.99);
            int keep = 1 + random.nextInt(4);
            double entropy = entropy(p);
            double[] distance = Arrays.stream(p).map(x -> Math.abs(-Math.log(x) - entropy)).toArray();
            Integer[] order = IntStream.range(0, p.length).boxed().toArray(Integer[]::new);
            Arrays.sort(order, Comparator.comparingDouble(i -> distance[i]));
            boolean fragile = false;
            double sum = 0;
            double edge = Double.POSITIVE_INFINITY;
            for (Integer i : order) {
                sum += p[i];
                fragile |= Math.abs(sum - mass) < FRAGILE;
                if (sum >= mass) {
                    edge = distance[i];
                    break;
                }
            }
            // Where a surprise below the entropy and one above are as far from it, rounding orders them.
            for (int i = 1; i < order.length; i++) {
                double gap = distance[order[i]] - distance[order[i - 1]];
                fragile |= logits[order[i]] != logits[order[i - 1]] && gap < FRAGILE;
            }
            if (!fragile) {
                double last = edge;
                List<Integer> first = Arrays.asList(order).subList(0, Math.min(keep, order.length));
                assertThat(kept(new TypicalP(mass, keep), logits)).as("round %s", round)
                        .isEqualTo(ids(logits, i -> distance[i] <= last || first.contains(i)));
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(200);
    }

    @Test
    void topHIsAShareOfTheEntropy() {
        // Shares of the entropy 1.2799 (in descending order): 0.3665, 0.3612, 0.3219, 0.2303.
        float[] logits = logs(0.4, 0.3, 0.2, 0.1);
        assertThat(kept(new TopH(0.1), logits)).containsExactly(0);
        assertThat(kept(new TopH(0.56), logits)).containsExactly(0);
        assertThat(kept(new TopH(0.58), logits)).containsExactly(0, 1);
        assertThat(kept(new TopH(0.83), logits)).containsExactly(0, 1, 2);
        assertThat(kept(new TopH(0.2), 1, 1, LOWEST, 1)).containsExactly(3);
        assertThat(kept(new TopH(0.7), 1, 1, LOWEST, 1)).containsExactly(1, 3);
    }

    @Test
    void topHLooksAtTheBestHundred() {
        float[] logits = new float[200];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = i * 1e-3f;
        }
        // All as good as equal: half of the entropy is in half of the hundred.
        int[] kept = kept(new TopH(0.5), logits);
        assertThat(kept).hasSizeBetween(48, 50);
        assertThat(kept[kept.length - 1]).isEqualTo(199);
        assertThat(kept[0]).isEqualTo(200 - kept.length);
    }

    @Test
    void topNSigmaIsADistanceFromTheLargest() {
        // Mean 2, standard deviation sqrt(10 / 5) = 1.414.
        float[] logits = {0, 1, 2, 3, 4};
        assertThat(kept(new TopNSigma(0.7), logits)).containsExactly(4);
        assertThat(kept(new TopNSigma(0.75), logits)).containsExactly(3, 4);
        assertThat(kept(new TopNSigma(1.5), logits)).containsExactly(2, 3, 4);
        assertThat(kept(new TopNSigma(3), logits)).containsExactly(0, 1, 2, 3, 4);
        // What cannot come has no part in it.
        assertThat(kept(new TopNSigma(1.5), 0, LOWEST, 1, 2, 3, LOWEST, 4)).containsExactly(3, 4, 6);
        assertThat(kept(new TopNSigma(1), 1e4f, 1e4f, 1e4f)).containsExactly(0, 1, 2);
    }

    @Test
    void topNSigmaAgreesWithItsDefinitionAtAnyTemperature() {
        SplittableRandom random = new SplittableRandom(25);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double n = random.nextDouble(0.1, 4);
            double[] possible = IntStream.range(0, logits.length).mapToDouble(i -> logits[i])
                    .filter(Double::isFinite).toArray();
            double mean = Arrays.stream(possible).average().orElseThrow();
            double variance = Arrays.stream(possible).map(x -> (x - mean) * (x - mean)).average().orElseThrow();
            double threshold = Arrays.stream(possible).max().orElseThrow() - n * Math.sqrt(variance);
            if (Arrays.stream(possible).noneMatch(x -> Math.abs(x - threshold) < FRAGILE)) {
                int[] expected = ids(logits, i -> logits[i] >= threshold);
                assertThat(kept(new TopNSigma(n), logits)).isEqualTo(expected);
                assertThat(kept(SamplerChain.of(new Temperature(0.5), new TopNSigma(n)), logits)).isEqualTo(expected);
            }
        }
    }

    @Test
    void theBestSurvivesEveryTruncation() {
        SplittableRandom random = new SplittableRandom(26);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            float max = (float) IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
            int keep = 1 + random.nextInt(3);
            for (Sampler sampler : truncations(random, keep)) {
                Candidates candidates = Steps.applied(sampler, logits);
                int[] kept = Arrays.copyOf(candidates.ids(), candidates.size());
                assertThat(kept).as("%s", sampler.getClass()).isSorted()
                        .hasSizeGreaterThanOrEqualTo(sampler instanceof TopH || sampler instanceof TopNSigma
                                ? 1
                                : Math.min(keep, logits.length));
                // A typical set has the most likely one only by chance.
                if (!(sampler instanceof TypicalP)) {
                    assertThat(IntStream.of(kept).anyMatch(i -> logits[i] == max)).as("%s", sampler.getClass())
                            .isTrue();
                }
                candidates.softmax();
                double sum = 0;
                for (int i = 0; i < candidates.size(); i++) {
                    sum += candidates.probabilities()[i];
                }
                assertThat(sum).isCloseTo(1, within(1e-5));
            }
        }
    }

    @Test
    void atLeastOneStaysWhateverTheLogits() {
        SplittableRandom random = new SplittableRandom(27);
        float[] odd = {LOWEST, Float.NaN, Float.POSITIVE_INFINITY, 0, -0f, 3, -Float.MAX_VALUE, Float.MAX_VALUE};
        for (int round = 0; round < 500; round++) {
            float[] logits = new float[1 + random.nextInt(6)];
            boolean number = false;
            for (int i = 0; i < logits.length; i++) {
                logits[i] = odd[random.nextInt(odd.length)];
                number |= logits[i] > LOWEST;
            }
            for (Sampler sampler : truncations(random, 1 + random.nextInt(3))) {
                int[] kept = kept(sampler, logits);
                assertThat(kept).as("%s of %s", sampler.getClass(), Arrays.toString(logits)).isNotEmpty();
                if (number) {
                    assertThat(IntStream.of(kept).anyMatch(i -> logits[i] > LOWEST))
                            .as("%s of %s", sampler.getClass(), Arrays.toString(logits)).isTrue();
                }
            }
        }
    }

    @Test
    void forbiddenAndRemovedAreTheSame() {
        SplittableRandom random = new SplittableRandom(28);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            int removed = random.nextInt(logits.length);
            for (Sampler sampler : truncations(random, 1)) {
                Candidates forbidden = new Candidates(logits.length);
                forbidden.load(logits);
                Candidates shorter = new Candidates(logits.length);
                shorter.load(logits);
                // Removes the first ones, without changing who is best.
                float max = shorter.largest();
                for (int id = 0; id < removed; id++) {
                    if (logits[id] < max) {
                        forbidden.forbid(id);
                    }
                }
                remove(shorter, forbidden);
                sampler.apply(forbidden);
                sampler.apply(shorter);
                assertThat(possible(forbidden)).as("%s", sampler.getClass()).isEqualTo(possible(shorter));
            }
        }
    }

    private static void remove(Candidates candidates, Candidates forbidden) {
        int kept = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (forbidden.logits()[i] > LOWEST) {
                candidates.ids()[kept] = i;
                candidates.logits()[kept++] = forbidden.logits()[i];
            }
        }
        candidates.truncate(kept);
    }

    private static int[] possible(Candidates candidates) {
        return IntStream.range(0, candidates.size()).filter(i -> candidates.logits()[i] > LOWEST)
                .map(i -> candidates.ids()[i]).toArray();
    }

    @Test
    void badParametersAreRefused() {
        for (double bad : new double[]{-0.1, 1.1, Double.NaN}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new MinP(bad)).withMessageContaining("" + bad);
        }
        for (double bad : new double[]{-0.1, 0, 1, 1.1, Double.NaN}) {
            for (Runnable made : List.<Runnable>of(() -> new TypicalP(bad), () -> new EpsilonCutoff(bad),
                    () -> new EtaCutoff(bad))) {
                assertThatIllegalArgumentException().isThrownBy(made::run).withMessageContaining("" + bad);
            }
        }
        for (double bad : new double[]{-0.1, 0, 1.1, Double.NaN}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new TopH(bad)).withMessageContaining("" + bad);
        }
        for (double bad : new double[]{-1, 0, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new TopNSigma(bad)).withMessageContaining("" + bad);
        }
        for (Runnable made : List.<Runnable>of(() -> new MinP(0.1, 0), () -> new TypicalP(0.1, 0),
                () -> new EpsilonCutoff(0.1, 0), () -> new EtaCutoff(0.1, -1))) {
            assertThatIllegalArgumentException().isThrownBy(made::run).withMessageContaining("tokens to keep");
        }
    }

    private static List<Sampler> truncations(SplittableRandom random, int keep) {
        double x = random.nextDouble(0.001, 0.999);
        return List.of(new TopK(1 + random.nextInt(10), keep), new TopP(x, keep), new MinP(x, keep),
                new TypicalP(x, keep), new EpsilonCutoff(x, keep), new EtaCutoff(x, keep), new TopH(x),
                new TopNSigma(4 * x));
    }

    /** Whoever has the least probability or more stays, and in any case the best {@code keep}, with their equals. */
    private static void check(Sampler sampler, float[] logits, double[] p, double least, int keep) {
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        float floor = sorted[Math.max(sorted.length - keep, 0)];
        if (Arrays.stream(p).noneMatch(x -> Math.abs(x - least) < FRAGILE * least)) {
            int[] expected = keep >= logits.length
                    ? ids(logits, _ -> true)
                    : ids(logits, i -> p[i] >= least || logits[i] >= floor);
            assertThat(kept(sampler, logits)).isEqualTo(expected);
        }
    }

    private static int[] ids(float[] logits, IntPredicate stays) {
        return IntStream.range(0, logits.length).filter(stays).toArray();
    }

    private static double entropy(double[] p) {
        return Arrays.stream(p).filter(x -> x > 0).map(x -> -x * Math.log(x)).sum();
    }
}
