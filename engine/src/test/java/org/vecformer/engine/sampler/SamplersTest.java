package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.vecformer.engine.sampler.Steps.LOWEST;
import static org.vecformer.engine.sampler.Steps.kept;
import static org.vecformer.engine.sampler.Steps.randomLogits;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Distributions computed by hand, and properties on random logits against plain definitions. */
class SamplersTest {
    @Test
    void temperatureSharpensAndFlattens() {
        // p^(1/T), normalized: squares for T = 0.5, square roots for T = 2.
        assertDistribution(new Temperature(1), new double[]{0.1, 0.2, 0.3, 0.4}, 0.1, 0.2, 0.3, 0.4);
        assertDistribution(new Temperature(0.5), new double[]{0.1, 0.2, 0.3, 0.4}, 1 / 30.0, 4 / 30.0, 9 / 30.0,
                16 / 30.0);
        assertDistribution(new Temperature(2), new double[]{0.04, 0.16, 0.36, 0.44}, 0.2 / 1.86332, 0.4 / 1.86332,
                0.6 / 1.86332, 0.66332 / 1.86332);
        assertDistribution(new Temperature(1e-3), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 0, 0, 1);
    }

    @Test
    void topKKeepsTheBest() {
        assertDistribution(new TopK(1), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 0, 0, 1);
        assertDistribution(new TopK(3), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 2 / 9.0, 3 / 9.0, 4 / 9.0);
        assertDistribution(new TopK(4), new double[]{0.1, 0.2, 0.3, 0.4}, 0.1, 0.2, 0.3, 0.4);
        assertDistribution(new TopK(100), new double[]{0.1, 0.2, 0.3, 0.4}, 0.1, 0.2, 0.3, 0.4);
        assertDistribution(new TopK(1, 3), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 2 / 9.0, 3 / 9.0, 4 / 9.0);
    }

    @Test
    void topKKeepsTiesAtTheEdge() {
        assertThat(kept(new TopK(2), 1, 5, 5, 5, 0)).containsExactly(1, 2, 3);
        assertThat(kept(new TopK(1), 0f, -0f, -1)).containsExactly(0, 1);
    }

    @Test
    void topPKeepsTheSmallestSufficientSet() {
        assertDistribution(new TopP(0), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 0, 0, 1);
        assertDistribution(new TopP(0.65), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 0, 3 / 7.0, 4 / 7.0);
        assertDistribution(new TopP(0.75), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 2 / 9.0, 3 / 9.0, 4 / 9.0);
        assertDistribution(new TopP(1), new double[]{0.1, 0.2, 0.3, 0.4}, 0.1, 0.2, 0.3, 0.4);
        assertDistribution(new TopP(0.1, 2), new double[]{0.1, 0.2, 0.3, 0.4}, 0, 0, 3 / 7.0, 4 / 7.0);
    }

    @Test
    void ofEqualLogitsAtTheEdgeTopPKeepsTheHigherIds() {
        assertThat(kept(new TopP(0.3), 2, 2, 2, 2)).containsExactly(2, 3);
        assertThat(kept(new TopP(0.5), 2, 2, 2, 2)).containsExactly(2, 3);
        assertThat(kept(new TopP(0.1, 3), 2, 2, 2, 2)).containsExactly(1, 2, 3);
        assertThat(kept(new TopP(0.3), 0f, -0f, 0f, -0f)).containsExactly(2, 3);
    }

    @Test
    void theOrderOfAChainMatters() {
        double[] p = {0.1, 0.2, 0.3, 0.4};
        // Top-p before the temperature sees 0.4 < 0.5, so two stay; after it 16/30 > 0.5, so one does.
        assertDistribution(SamplerChain.of(new TopP(0.5), new Temperature(0.5)), p, 0, 0, 9 / 25.0, 16 / 25.0);
        assertDistribution(SamplerChain.of(new Temperature(0.5), new TopP(0.5)), p, 0, 0, 0, 1);
        // Top-p after top-k works with the survivors' probabilities: 4/7 < 0.6, but of {0.3, 0.4} only.
        assertDistribution(SamplerChain.of(new TopK(2), new TopP(0.55)), p, 0, 0, 0, 1);
        assertDistribution(SamplerChain.of(new TopP(0.55), new TopK(2)), p, 0, 0, 3 / 7.0, 4 / 7.0);
        assertDistribution(SamplerChain.of(), p, p);
    }

    @Test
    void impossibleTokensStayImpossible() {
        assertThat(kept(new TopK(3), LOWEST, 1, LOWEST, 2, LOWEST)).contains(1, 3);
        assertThat(kept(new TopP(0.99), LOWEST, 1, LOWEST, 2, LOWEST)).containsExactly(1, 3);
        assertThat(kept(new Temperature(0.5), LOWEST, 1)).containsExactly(0, 1);
        assertThat(selected(new Greedy(), LOWEST, LOWEST, -1e30f)).isEqualTo(2);
        for (Sampler sampler : List.of(new TopK(2), new TopP(0.5), new TopP(0, 2), new TopP(1), new Temperature(2))) {
            assertThat(kept(sampler, LOWEST, LOWEST, LOWEST)).as("%s", sampler.getClass()).isNotEmpty();
            assertThat(kept(sampler, Float.NaN, Float.NaN, Float.NaN)).as("%s", sampler.getClass()).isNotEmpty();
            assertThat(kept(sampler, Float.NaN, 3, Float.NaN)).as("%s", sampler.getClass()).contains(1);
            assertThat(kept(sampler, Float.POSITIVE_INFINITY, 3, LOWEST)).as("%s", sampler.getClass()).contains(0);
            assertThat(kept(sampler, 7)).containsExactly(0);
        }
    }

    @Test
    void greedyTakesTheFirstOfTheLargest() {
        assertThat(selected(new Greedy(), 1, 3, 2, 3)).isEqualTo(1);
        assertThat(selected(new Greedy(), -0f, 0f)).isEqualTo(0);
        assertThat(selected(new Greedy(), Float.NaN, 1, Float.NaN, 2)).isEqualTo(3);
        assertThat(selected(new Greedy(), Float.NaN, LOWEST)).isEqualTo(0);
        assertThat(selected(new Greedy(), LOWEST, LOWEST)).isEqualTo(0);
        assertThat(selected(new Greedy(), 1, Float.POSITIVE_INFINITY)).isEqualTo(1);
        Candidates candidates = new Candidates(4);
        candidates.load(new float[]{5, 1, 5, 0});
        candidates.sortByLogit();
        new Greedy().apply(candidates);
        assertThat(candidates.selectedToken()).isEqualTo(0);
    }

    @Test
    void badParametersAreRefused() {
        for (double temperature : new double[]{0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e-60, 1e60}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new Temperature(temperature))
                    .withMessageContaining(String.valueOf(temperature));
        }
        for (double p : new double[]{-0.1, 1.1, Double.NaN}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new TopP(p)).withMessageContaining("" + p);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new TopK(0)).withMessageContaining("0");
        assertThatIllegalArgumentException().isThrownBy(() -> new TopK(-3)).withMessageContaining("-3");
        assertThatIllegalArgumentException().isThrownBy(() -> new TopK(1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new TopP(0.5, 0));
    }

    @Test
    void topKAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            int k = 1 + random.nextInt(logits.length + 3);
            float[] sorted = logits.clone();
            Arrays.sort(sorted);
            float threshold = sorted[Math.max(logits.length - k, 0)];
            int[] expected = IntStream.range(0, logits.length).filter(i -> logits[i] >= threshold).toArray();
            assertThat(kept(new TopK(k), logits)).isEqualTo(expected);
        }
    }

    @Test
    void topPAgreesWithItsDefinition() {
        SplittableRandom random = new SplittableRandom(2);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            double p = random.nextDouble();
            int keep = 1 + random.nextInt(4);
            Integer[] ascending = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
            Arrays.sort(ascending, Comparator.comparingDouble(i -> logits[i]));
            double max = logits[ascending[logits.length - 1]];
            double total = Arrays.stream(ascending).mapToDouble(i -> Math.exp(logits[i] - max)).sum();
            double sum = 0;
            Set<Integer> expected = new HashSet<>();
            boolean fragile = false;
            for (int rank = 0; rank < logits.length; rank++) {
                sum += Math.exp(logits[ascending[rank]] - max) / total;
                fragile |= Math.abs(sum - (1 - p)) < 1e-5;
                if (sum > 1 - p || rank >= logits.length - keep) {
                    expected.add(ascending[rank]);
                }
            }
            if (!fragile) {
                int[] actual = kept(new TopP(p, keep), logits);
                assertThat(actual).isSorted();
                assertThat(actual).containsExactlyInAnyOrder(expected.stream().mapToInt(i -> i).toArray());
            }
        }
    }

    @Test
    void theBestTokenSurvivesAndChainsKeepIdOrder() {
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random);
            Sampler chain = SamplerChain.of(new TopP(random.nextDouble()), new Temperature(random.nextDouble(0.05, 3)),
                    new TopK(1 + random.nextInt(10)), new TopP(random.nextDouble()));
            int[] kept = kept(chain, logits);
            float max = (float) IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
            assertThat(kept).isSorted().isNotEmpty();
            assertThat(IntStream.of(kept).anyMatch(i -> logits[i] == max)).isTrue();
        }
    }

    @Test
    void aFilterWorksOnAnyOrderOfCandidates() {
        SplittableRandom random = new SplittableRandom(4);
        for (int round = 0; round < 100; round++) {
            float[] logits = randomLogits(random);
            for (Sampler sampler : List.of(new TopK(1 + random.nextInt(20)), new TopP(random.nextDouble()))) {
                Candidates sorted = new Candidates(logits.length);
                sorted.load(logits);
                sorted.sortByLogit();
                sampler.apply(sorted);
                sorted.sortById();
                assertThat(Arrays.copyOf(sorted.ids(), sorted.size())).isEqualTo(kept(sampler, logits));
            }
        }
    }

    private static int selected(Sampler sampler, float... logits) {
        return Steps.applied(sampler, logits).selectedToken();
    }

    private static void assertDistribution(Sampler sampler, double[] before, double... after) {
        Candidates candidates = new Candidates(before.length);
        for (int i = 0; i < before.length; i++) {
            candidates.logits()[i] = (float) Math.log(before[i]);
        }
        candidates.fill();
        sampler.apply(candidates);
        candidates.softmax();
        for (int id = 0; id < before.length; id++) {
            int index = candidates.indexOf(id);
            double probability = index < 0 ? 0 : candidates.probabilities()[index];
            assertThat(probability).as("token %s", id).isCloseTo(after[id], within(2e-6));
        }
    }
}
